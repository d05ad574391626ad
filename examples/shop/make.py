#!/usr/bin/env python3
"""Make the shop's data: an outdoor shop, its goods and brands made up, its customers simulated.  The same on every run."""
import csv
import random

rng = random.Random(4)

# category: what it is called, lowest and highest price, what it is for
GOODS = {
    "running shoes": (["trail shoe", "road shoe", "racing flat", "winter runner", "daily trainer"], 55, 180, "running"),
    "running wear": (["singlet", "running tights", "wind shirt", "running cap", "split shorts"], 15, 90, "running"),
    "hiking boots": (["leather boot", "mid boot", "approach boot", "winter boot", "light hiker"], 90, 260, "hiking"),
    "backpacks": (["day pack", "trekking pack", "summit pack", "roll-top pack", "hip pack"], 30, 240, "hiking"),
    "jackets": (["rain shell", "down jacket", "fleece", "softshell", "anorak"], 60, 380, "hiking"),
    "tents": (["one-person tent", "two-person tent", "tunnel tent", "tarp", "geodesic tent"], 80, 600, "camping"),
    "stoves": (["gas stove", "spirit burner", "cook set", "wood stove", "kettle"], 20, 160, "camping"),
    "sleeping bags": (["summer bag", "three-season bag", "winter bag", "quilt", "liner"], 35, 420, "camping"),
    "climbing": (["harness", "chalk bag", "climbing shoe", "belay device", "quickdraw set"], 15, 170, "climbing"),
    "ropes": (["single rope", "half rope", "accessory cord", "static rope", "rope bag"], 20, 230, "climbing"),
}
BRANDS = ["Fellmark", "Noriva", "Tarnhow", "Kestra", "Olvebo"]  # the shop's own is the first
NAMES = ["Alma", "Bo", "Cem", "Dora", "Emil", "Fay", "Gus", "Hila", "Ivo", "Juno", "Kai", "Lena", "Milo", "Nia", "Otto", "Pia",
         "Quin", "Rosa", "Sami", "Tess", "Uma", "Vito", "Wim", "Xenia", "Yara", "Zeno"]
LIKES = {"running": ["hiking"], "hiking": ["camping", "running"], "camping": ["hiking"], "climbing": ["hiking", "camping"]}


def goods():
    items = []
    for category, (kinds, low, high, sport) in GOODS.items():
        for kind in kinds:
            for brand in rng.sample(BRANDS, 3):
                price = round(low + (high - low) * rng.random() ** 1.5) - 0.05
                items.append({"item_id": f"p{len(items) + 1:03}", "title": f"{brand} {kind}", "category": category, "brand": brand,
                              "price": f"{price:.2f}", "stock": rng.choice([0, 2, 5, 8, 13, 40]), "sport": sport})
    return items


def customers():
    users = []
    for n in range(130):
        sport = rng.choice(list(LIKES))
        users.append({"user_id": NAMES[n % 26].lower() + ("" if n < 26 else str(n // 26 + 1)), "sport": sport,
                      "purse": rng.choice([80, 150, 300, 700]), "brand": rng.choice(BRANDS)})
    return users


def wish(user, item):
    """How much a customer would like an article; this is what a recommender has to find out."""
    sport = 1 if item["sport"] == user["sport"] else 0.25 if item["sport"] in LIKES[user["sport"]] else 0.03
    return sport * (1.6 if item["brand"] == user["brand"] else 1) * (1 if float(item["price"]) <= user["purse"] else 0.15)


def visits(users, items):
    rows = []
    for user in users:
        weights = [wish(user, item) for item in items]
        seen = set(rng.choices(range(len(items)), weights, k=rng.randint(8, 34)))
        for i in sorted(seen):
            liking = min(1, weights[i] * rng.uniform(0.4, 1.2))
            views = 1 + int(liking * rng.randint(0, 5))
            cart = int(rng.random() < liking * 0.6)
            bought = int(cart and rng.random() < 0.7)
            day, hour = rng.randint(1, 30), rng.randint(7, 22)
            rows.append([user["user_id"], items[i]["item_id"], views, cart or "", bought or "", f"2026-04-{day:02}T{hour:02}:{rng.randint(0, 59):02}:00Z"])
    return sorted(rows, key=lambda row: row[-1])


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


items, users = goods(), customers()
write("items.csv", list(items[0])[:-1], [list(item.values())[:-1] for item in items])
write("users.csv", ["user_id", "town"], [[user["user_id"], rng.choice(["Leeds", "York", "Kendal", "Bath"])] for user in users])
write("interactions.csv", ["user_id", "item_id", "views", "cart_adds", "purchases", "timestamp"], visits(users, items))
