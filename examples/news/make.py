#!/usr/bin/env python3
"""Write request.json: the news of one week in a town that does not exist, and its simulated readers."""
import datetime
import json
import random

rng = random.Random(3)
NOW = datetime.datetime(2026, 6, 12, 7, 0)

# topic: (headline, what it says)
NEWS = {
    "technology": [("Town library lends out robots", "Children program a small robot to fetch books from the shelf."),
                   ("Chip factory breaks ground by the canal", "The plant will make sensors for trains and tractors."),
                   ("Open source group turns ten", "Programmers who meet above the bakery look back on a decade of code."),
                   ("School tests offline laptops", "Pupils learn programming without the internet, on machines that they repair."),
                   ("Bus tickets move to the phone", "The new app works without an account, the operator says.")],
    "AI": [("AI reads the parish registers", "A language model deciphers handwriting that archivists gave up on."),
           ("Hospital trains AI on old X-rays", "The model finds fractures that tired eyes miss, and says how sure it is."),
           ("Court asks who wrote the letter", "A judge wants to know whether a language model drafted the complaint."),
           ("AI forecast saves the cherries", "A weather model told growers of the frost six hours ahead."),
           ("Students build a model that fits in a watch", "The neural network counts steps and swims, with no cloud.")],
    "football": [("United win the derby in the rain", "Two late goals turned the derby, and the goalkeeper scored one of them."),
                 ("New striker signs for three years", "The club paid a record fee for a striker from the second league."),
                 ("Women's team one match from the title", "A draw on Sunday would bring the championship to town."),
                 ("Stadium roof to be green", "The club plants sedum over the north stand."),
                 ("Referee of the year drives a tram", "He is up at four and referees at three.")],
    "cycling": [("Bike lane opens along the harbour", "Six kilometres of cycle path without a traffic light."),
                ("Hill climb won by a postwoman", "She rode the cobbled climb in four minutes on a heavy bike."),
                ("Cargo bikes deliver the bread", "The bakery sold its van and bought three cargo bikes."),
                ("Tour stage passes the mill", "The cyclists turn into the valley on Saturday at two."),
                ("Cycle repair becomes a school subject", "Pupils true wheels and change chains on Fridays.")],
    "council": [("Council votes for quiet nights", "Lorries are kept out of the centre from ten to six."),
                ("Budget leaves the pool open", "The swimming pool stays, and the car park is sold."),
                ("Mayor will not stand again", "After sixteen years she wants to keep bees."),
                ("Benches for the main street", "Twenty benches, and the council asks where to put them."),
                ("Rents to be published", "The council prints what flats in each street cost.")],
    "gambling": [("Casino ship to anchor off the pier", "The operator promises jobs, and the first bets are placed in May."),
                 ("Betting shop wins licence", "A third betting shop opens on the main street."),
                 ("Jackpot goes to table seven", "A regular won the casino's largest prize since it opened."),
                 ("Odds shorten before the derby", "Betting offices take more stakes than ever on the home team."),
                 ("Slot machines return to the arcade", "Forty machines, no windows, and a licence until midnight.")],
    "weather": [("Storm expected on Friday", "Gusts of a hundred kilometres an hour, and the ferry stays in port."),
                ("Driest May on record", "The reservoir is at half, and gardens are watered after dark."),
                ("Fog stops the flower market", "The boats with the tulips waited outside until noon."),
                ("Hail the size of walnuts", "Greenhouses broke and a wedding moved indoors."),
                ("First night of frost", "Growers lit candles between the vines.")],
    "food": [("Bakery brings back the rye loaf", "The recipe was found behind a mirror in the old shop."),
             ("A school kitchen without cans", "Cooks buy from farms that one can see from the window."),
             ("Market gets a fish counter", "Herring, plaice and crab, landed the same morning."),
             ("Best pie is sold from a garage", "The jury queued for an hour and gave it the prize."),
             ("Cheese maker moves into the bunker", "It is cold, dark and damp: all that the cheese wants.")],
}
TOPICS = list(NEWS)


def moment(hours):
    return (NOW - datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


stories = []
for topic, several in NEWS.items():
    for n, (title, content) in enumerate(several):
        age = rng.uniform(1, 6) if n == 0 else rng.uniform(8, 7 * 24)
        stories.append({"item_id": f"{topic[:4].lower()}{n + 1}", "title": title, "content": content, "tags": [topic],
                        "published": moment(age), "age": age})

readers, rows = [], []
for n in range(90):
    interests = rng.sample(TOPICS, 2)
    readers.append({"user_id": f"reader{n + 1}", "interests": interests})
    for story in stories:
        keen = story["tags"][0] in interests
        if story["age"] < 7 or rng.random() > (0.7 if keen else 0.08):  # the morning's stories: nobody has read them yet
            continue
        row = {"user_id": f"reader{n + 1}", "item_id": story["item_id"],
               "read_time": rng.randint(60, 300) if keen else rng.randint(5, 40), "timestamp": moment(story["age"] * rng.uniform(0.02, 0.98))}
        if rng.random() < 0.5:
            row["liked"] = keen
        rows.append(row)
readers.append({"user_id": "user1", "interests": ["technology", "AI", "programming"]})
readers.append({"user_id": "user2", "interests": ["sports", "football", "cycling"]})
for user, item, seconds in [("user1", "ai2", 300), ("user2", "foot3", 180)]:
    rows.append({"user_id": user, "item_id": item, "read_time": seconds, "liked": True, "timestamp": moment(20)})
for story in stories:
    del story["age"]

data = {
    "user_data": readers, "item_data": stories, "interaction_data": sorted(rows, key=lambda row: row["timestamp"]),
    "context_data": {
        "now": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "users": ["user1", "user2"],
        "filter": "published >= now - 7d",
        "block": ["tags: gambling", "id: food4"],
        "pipeline": {
            "retrieve": [{"from": "model", "quota": 25}, {"from": "new", "quota": 10}],
            "rules": {"prefer": [{"when": "published >= now - 12h", "add": 0.5}, {"when": "published < now - 3d", "add": -0.5}]},
            "explore": {"slots": 1}},
        "why_not": ["gamb1", "food4"],
        "similar_items": 0, "feature_importance": False},
}
request = {
    "recommendation_data": {part: part for part in data},
    "recommendation_configuration": {
        "algorithm_type": "hybrid",
        "model_parameters": {
            "strategy": "weighted", "parts": ["content", "popularity"], "weight": 0.7,
            "options": "content.content_features=title,content,tags popularity.by=decayed popularity.half_life_days=1"},
        "evaluation_metrics": ["precision", "recall", "ndcg", "novelty"],
        "recommendation_count": 6},
    "training_configuration": {"train_test_split": 0.8, "cross_validation": False},
}
text = json.dumps(request, indent=4)
for part, value in data.items():
    if isinstance(value, list):
        written = "[\n" + ",\n".join("            " + json.dumps(row, ensure_ascii=False) for row in value) + "\n        ]"
    else:
        written = json.dumps(value, indent=4).replace("\n", "\n        ")
    text = text.replace(f'"{part}": "{part}"', f'"{part}": {written}')
with open("request.json", "w", encoding="utf-8") as f:
    f.write(text + "\n")
