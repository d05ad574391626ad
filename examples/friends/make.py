#!/usr/bin/env python3
"""Write request.json: a small town's network, simulated.  Users and items are the same people; each friendship
is two interactions, one from either side."""
import datetime
import json
import random

rng = random.Random(7)
FIRST = datetime.date(2021, 1, 1)
NAMES = """Abel Ada Amir Anna Arno Bea Ben Brit Carl Cara Cleo Dan Dora Edo Ella Emil Enya Eric Eva Finn Flo Fred Gina Gus Hana
Hugo Ida Igor Ines Ivan Jan Jill Joel June Kai Kira Lars Lea Leo Lila Liv Luca Lucy Max Maya Mia Milo Nora Noel Nils Olga Omar
Oona Otto Pam Paul Pia Raj Rita Rosa Ruth Sam Sara Sean Tara Theo Tom Uma Vera Will Yara Zoe""".split()
CIRCLES = ["choir", "allotment", "chess club", "school run", "running group", "night shift"]

circles = {name: rng.sample(CIRCLES, 1 if rng.random() < 0.6 else 2) for name in NAMES}
hubs = ["June", "Omar"]  # the postwoman and the baker: everybody knows them
edges = []
for n, a in enumerate(NAMES):
    for b in NAMES[n + 1:]:
        common = set(circles[a]) & set(circles[b])
        chance = 0.42 if common else 0.012
        if a in hubs or b in hubs:
            chance = 0.55
        if rng.random() < chance:
            edges.append((a, b, rng.randint(0, 5 * 365)))  # the day on which they met


request = {
    "recommendation_data": {
        "user_data": [{"user_id": name, "circles": circles[name]} for name in NAMES],
        "item_data": [{"item_id": name, "circle": circles[name][0]} for name in NAMES],
        "interaction_data": [{"user_id": x, "item_id": y, "timestamp": str(FIRST + datetime.timedelta(day))}
                             for a, b, day in sorted(edges, key=lambda edge: edge[2]) for x, y in [(a, b), (b, a)]],
        "context_data": {"users": ["Nora", "Theo"], "similar_items": 0, "feature_importance": False},
    },
    "recommendation_configuration": {
        "algorithm_type": "graph_based",
        "model_parameters": {"method": "adamic_adar"},
        "evaluation_metrics": ["precision", "recall", "ndcg"],
        "recommendation_count": 5,
    },
    "training_configuration": {"train_test_split": 0.8, "cross_validation": False},
}


def lines(values):
    return "[\n" + ",\n".join("            " + json.dumps(value, ensure_ascii=False) for value in values) + "\n        ]"


text = json.dumps({**request, "recommendation_data": {**request["recommendation_data"], "user_data": 1, "item_data": 2, "interaction_data": 3}},
                  indent=4, ensure_ascii=False)
for n, part in enumerate(["user_data", "item_data", "interaction_data"], 1):
    text = text.replace(f'"{part}": {n}', f'"{part}": ' + lines(request["recommendation_data"][part]))
with open("request.json", "w", encoding="utf-8") as f:
    f.write(text + "\n")
