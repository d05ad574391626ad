#!/usr/bin/env python3
"""Write request.json: vacancies and job seekers in the north of England, all made up."""
import json
import random

rng = random.Random(21)
CITIES = ["Leeds", "York", "Sheffield", "Bradford", "Hull", "Harrogate"]
# trade: titles, sentences, what it pays a year, which shifts there are
TRADES = {
    "nursing": (["Staff nurse", "Ward nurse", "Community nurse", "Theatre nurse", "Children's nurse"],
                ["Caring for patients on a {} ward as a registered nurse.", "A nurse for our {} team, with time for each patient."],
                ["medical", "surgical", "stroke", "children's", "emergency"], 29, 42, ["day", "night", "rota"]),
    "care": (["Care assistant", "Support worker", "Senior carer"],
             ["Helping people of our {} home through the day.", "Support for people with {} needs, in their own homes."],
             ["residential", "learning", "dementia", "mobility"], 22, 28, ["day", "night", "weekend"]),
    "teaching": (["Primary teacher", "Maths teacher", "Teaching assistant", "Music teacher"],
                 ["Teach a {} class in a friendly school.", "A school with {} pupils looks for a patient teacher."],
                 ["reception", "mixed-age", "year six", "curious"], 24, 41, ["day"]),
    "software": (["C developer", "Web developer", "Data engineer", "Test engineer"],
                 ["Build {} systems in a small team.", "Look after the code of our {} platform."],
                 ["logistics", "hospital", "payment", "railway"], 34, 68, ["day"]),
    "kitchen": (["Chef de partie", "Sous chef", "Kitchen porter", "Baker"],
                ["Cook for a {} kitchen with its own garden.", "A {} restaurant that closes on Mondays."],
                ["seasonal", "busy", "vegetarian", "family"], 22, 36, ["day", "weekend", "night"]),
    "warehouse": (["Forklift driver", "Order picker", "Team leader"],
                  ["Keep the {} warehouse moving.", "Loading and {} dispatch, with training on the lift."],
                  ["frozen", "parcel", "book", "garden"], 23, 34, ["day", "night"]),
}


def vacancy(n):
    trade = list(TRADES)[n % len(TRADES)]
    titles, sentences, words, low, high, shifts = TRADES[trade]
    city, shift = rng.choice(CITIES), rng.choice(shifts)
    return {"item_id": f"job{n + 1:03}", "title": f"{rng.choice(titles)}, {city} ({shift})", "trade": trade, "city": city,
            "description": rng.choice(sentences).format(rng.choice(words)), "shift": shift,
            "salary": 500 * rng.randint(2 * low, 2 * high), "contract": rng.choice(["permanent", "permanent", "fixed term", "bank"]),
            "posted": f"2026-05-{rng.randint(1, 28):02}"}


jobs = [vacancy(n) for n in range(150)]
seekers, rows = [], []
for n in range(60):
    trade, city = rng.choice(list(TRADES)), rng.choice(CITIES)
    seekers.append({"user_id": f"seeker{n + 1}", "city": city})
    suits = [job for job in jobs if job["trade"] == trade]
    for job in rng.sample(suits, rng.randint(3, 9)) + rng.sample(jobs, 2):
        did = {"user_id": f"seeker{n + 1}", "item_id": job["item_id"], "clicks": rng.randint(1, 4)}
        if job["trade"] == trade and (job["city"] == city or rng.random() < 0.3):
            did["saved"] = True
        rows.append(did)
seekers.append({"user_id": "nadia", "looking_for": "nurse, night shifts, Leeds"})

data = {
    "user_data": seekers, "item_data": jobs, "interaction_data": rows,
    "context_data": {
        "now": "2026-05-29T08:00:00Z",
        "users": ["nadia"],
        "filter": "trade in $trades and salary >= $least and contract != \"bank\" and posted >= now - 28d",
        "values": {"trades": ["nursing", "care"], "least": 27000},
        "pipeline": {"rules": {"prefer": [{"when": "city = \"Leeds\"", "multiply": 1.5},
                                          {"when": "shift = \"night\"", "multiply": 1.5},
                                          {"when": "salary >= 36000", "multiply": 1.2}]}},
        "similar_items": 0, "feature_importance": False},
}
request = {
    "recommendation_data": {part: part for part in data},
    "recommendation_configuration": {
        "algorithm_type": "content_based",
        "model_parameters": {"method": "content", "content_features": ["title", "description"], "field_weights": "title=2",
                             "signals": {"saved": 3, "clicks": 1}},
        "evaluation_metrics": ["precision", "recall", "ndcg"],
        "recommendation_count": 5},
    "training_configuration": {"cross_validation": True},
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
