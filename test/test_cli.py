#!/usr/bin/env python3
"""The program as its users meet it: commands, files, exit codes, JSON.  Usage: test_cli.py PATH-TO-KITH

Each test_* function runs in a folder of its own; what fails is told with the command that failed.
"""
import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

from cases import run as run_cases

KITH = os.path.abspath(sys.argv[1])
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.environ.get("KITH_DATASETS") or os.path.join(ROOT, "..", "shared", "data")

# The source document's example: three users, four films, seven ratings.
SEVEN = "user,item,rating\nU1,M1,4\nU1,M3,5\nU2,M2,3\nU2,M4,2\nU3,M1,5\nU3,M2,4\nU3,M4,3\n"


def run(*words, code=0):
    done = subprocess.run([KITH, *words], capture_output=True, text=True, errors="surrogateescape")
    assert code is None or done.returncode == code, f"kith {' '.join(words)}: exit {done.returncode}, want {code}\n{done.stderr}{done.stdout}"
    return done


def run_json(*words):
    return json.loads(run(*words, "--json").stdout)


def write(name, text):
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)
    return name


def small():
    """Forty viewers of two tastes, by arithmetic: even users like even films."""
    rows = ["user,item,rating,timestamp"]
    for u in range(40):
        for i in range(20):
            if (u * 7 + i * 3) % 5 < 3:
                rows.append(f"u{u},i{i},{4 + (u + i) % 2 if u % 2 == i % 2 else 1 + (u + i) // 2 % 2},{1000000000 + u * 1000 + i}")
    return write("small.csv", "\n".join(rows) + "\n")


TITLES = ["Dune (1984)", "Godfather, The (1972)", "Good, the Bad and the Ugly, The (1966)", "Toy Story (1995)",
          "Toy Story 2 (1999)", "Sabrina (1954)", "Sabrina (1995)"]


def titled(model="item-knn"):
    """The forty viewers with a title for the first few films, found beside the data; m.kith is trained on them."""
    rows = ["item_id,title"] + [f'i{j},"{title}"' for j, title in enumerate(TITLES)]
    write("small.csv.items.csv", "\n".join(rows) + "\n")
    run("train", "--data", small(), "--model", model, "--out", "m.kith")


def liked(*words):
    """What `--liked` was understood as: (id, value) of each."""
    got = run_json("recommend", "--model-file", "m.kith", *(part for word in words for part in ("--liked", word)))
    return [(pick["item_id"], pick["value"]) for pick in got["liked"]]


def test_items_are_named_by_title_with_commas_or_without():
    titled()
    assert liked("Dune (1984)") == liked("dune") == liked("i0") == [("i0", None)]
    assert liked("dune, toy story") == [("i0", None), ("i3", None)]
    assert liked("Godfather, The (1972)", "i3") == [("i1", None), ("i3", None)]
    assert liked("godfather, the=4") == [("i1", 4.0)]
    assert liked('"Good, the Bad and the Ugly, The"=2,i0=5,i9') == [("i2", 2.0), ("i0", 5.0), ("i9", None)]
    done = run("similar", "--model-file", "m.kith", "--item", "toy story", "-n", "2")
    assert "Toy Story (1995), id i3" in done.stderr, done.stderr
    assert not run("similar", "--model-file", "m.kith", "--item", "toy story", "-q").stderr
    assert done.stdout == run("similar", "--model-file", "m.kith", "--item", "i3", "-n", "2").stdout
    got = run_json("predict", "--model-file", "m.kith", "--user", "u1", "--item", "the godfather")
    assert (got["item"], got["title"]) == ("i1", "Godfather, The (1972)"), got
    items = run_json("recommend", "--model-file", "m.kith", "--user", "u0", "-n", "20")["items"]
    assert [item for item in items if item["item_id"] in ("i1", "i3")]
    items = run_json("recommend", "--model-file", "m.kith", "--user", "u0", "-n", "20", "--exclude", "Godfather, The", "--exclude",
                     "toy story")["items"]
    assert not [item for item in items if item["item_id"] in ("i1", "i3")]


def test_an_id_with_a_comma_is_one_id():
    write("commas.csv", 'user,item\na,"x,y"\na,z\nb,"x,y"\nb,w\nc,w\n')
    run("train", "--data", "commas.csv", "--model", "popularity", "--out", "m.kith")
    assert liked("x,y") == liked('"x,y"') == [("x,y", None)] and liked('z,"x,y"=1') == [("z", None), ("x,y", 1.0)]
    assert not run("recommend", "--model-file", "m.kith", "--liked", "x,y").stderr


def test_a_title_of_several_items_or_of_none_says_which_are_there():
    titled()
    for words in [["similar", "--item", "sabrina"], ["recommend", "--liked", "sabrina"],
                  ["predict", "--user", "u1", "--item", "sabrina"]]:
        told = run(*words, "--model-file", "m.kith", code=1).stderr
        assert '"Sabrina (1954)" (id i5)' in told and '"Sabrina (1995)" (id i6)' in told, told
    assert 'did you mean "Dune (1984)" (id i0)?' in run("similar", "--item", "dnue", "--model-file", "m.kith", code=1).stderr
    done = run("recommend", "--liked", "dnue", "--model-file", "m.kith")
    assert 'did you mean "Dune (1984)" (id i0)?' in done.stderr and "popular" in done.stderr, done.stderr
    dune = {"item_id": "i0", "title": "Dune (1984)"}
    assert run_json("recommend", "--liked", "dnue", "--model-file", "m.kith")["liked"][0]["did_you_mean"] == dune
    got = run_json("predict", "--user", "u1", "--item", "dnue", "--model-file", "m.kith")
    assert got["unknown_item"] and got["did_you_mean"] == dune, got
    assert "did you mean" not in run("recommend", "--liked", "qqqq", "--model-file", "m.kith").stderr


def test_values_of_liked_items_count():
    titled("user-knn")
    best = lambda *words: [i["score"] for i in run_json("recommend", "--model-file", "m.kith", "-n", "20", *words)["items"]]
    assert best("--liked", "i0=5,i1=1") != best("--liked", "i0=1,i1=5")
    assert best("--liked", "i0=4,i1=4") == best("--liked", "i0,i1") == best("--liked", "i0", "--liked", "i1=4")  # the top
    assert "outside" in run("recommend", "--model-file", "m.kith", "--liked", "i0=9").stderr
    got = run_json("recommend", "--model-file", "m.kith", "--liked", "i0=five")
    assert got["liked"][0]["item_id"] is None and "i0=five" in got["note"], got


def test_shares_of_the_history_add_up_to_the_score():
    run("train", "--data", small(), "--model", "ease", "-p", "l2=1", "--out", "m.kith")
    least = 0
    for item in run_json("recommend", "--model-file", "m.kith", "--user", "u3", "-n", "20", "--reasons", "100")["items"]:
        shares = [reason["contribution"] for reason in item["reasons"]]
        least = min(least, *shares)
        assert len(shares) == 12, item  # all of u3's history
        assert [abs(x) for x in shares] == sorted((abs(x) for x in shares), reverse=True), item
        assert abs(item["score"] - item["rest"] - sum(shares)) < 1e-6, item  # nine digits are printed
        assert abs(item["rest"]) < 1e-5, item  # ease has nothing else; float32 sums of a dozen
    assert least < 0  # what speaks against an item is told as well
    first = run_json("recommend", "--model-file", "m.kith", "--user", "u3", "-n", "5", "--explain")["items"][0]
    assert len(first["reasons"]) == 3 and "because you liked" in first["reason"], first


def test_search_finds_titles_and_ids():
    titled()
    found = lambda *words: [i["item_id"] for i in run_json("search", "--model-file", "m.kith", *words)["items"]]
    assert found("toy", "story") == ["i3", "i4"] and found("i7") == ["i7"] and found("Sab 54") == []
    assert found("godfater") == ["i1"] and found("qqqq") == []
    assert run_json("search", "--model-file", "m.kith", "toy", "-n", "1")["n_found"] == 2
    text = run("search", "--model-file", "m.kith", "toy story", "-n", "1").stdout
    assert "Toy Story (1995)" in text and "1 of 2" in text, text
    assert "looks like it" in run("search", "--model-file", "m.kith", "qqqq").stdout
    assert "look like it" in run("search", "--model-file", "m.kith", "godfater").stderr


def test_a_prediction_says_which_id_is_unknown():
    titled("bias")
    for user, item, told in [("u1", "i1", ""), ("zoe", "i1", "does not know user zoe"),
                             ("u1", "nope", "does not know item nope"), ("zoe", "nope", "neither user zoe nor item nope")]:
        got = run_json("predict", "--model-file", "m.kith", "--user", user, "--item", item)
        assert (got["unknown_user"], got["unknown_item"]) == (user == "zoe", item == "nope"), got
        text = run("predict", "--model-file", "m.kith", "--user", user, "--item", item).stdout
        assert told in text and ("does not know" in text or "neither" in text) == got["is_fallback"], text
    run("train", "--data", small(), "--model", "ials", "--out", "ials.kith")
    text = run("predict", "--model-file", "ials.kith", "--user", "zoe", "--item", "nope").stdout
    assert "unknown" in text and "there is no estimate" in text and "0.000" not in text, text


def test_more_reasons_never_make_a_sentence_shorter():
    run("train", "--data", small(), "--model", "ials", "--out", "m.kith")
    for user in range(12):
        before = {}
        for n in (1, 2, 3, 5, 12):
            got = run_json("recommend", "--model-file", "m.kith", "--user", f"u{user}", "--reasons", str(n))
            now = {item["item_id"]: item["reason"] for item in got["items"]}
            for item, reason in now.items():
                assert len(reason) >= len(before.get(item, "")), (n, before[item], reason)
                assert n <= 3 or reason == before[item], (n, before[item], reason)
            before = now


def test_every_line_of_the_tour_in_the_readme_works():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        text = f.read()
    os.symlink(os.path.join(ROOT, "sample"), "sample")
    lines = [line for line in text[: text.index("### Your data")].splitlines() if line.startswith("    kith ")]
    assert len(lines) == 10, lines
    for line in lines:
        done = run(*shlex.split(line, comments=True)[1:])
        assert "did you mean" not in done.stderr and "does not know" not in done.stderr + done.stdout, (line, done.stderr)
    write("ratings2.csv", "user,item,rating\nann,tt01,5\nbob,tt01,4\nbob,tt02,3\n")
    write("ratings2.csv.items.csv", 'item,title,genres\ntt01,"Godfather, The (1972)",Crime|Drama\n')
    run("train", "--data", "ratings2.csv", "--model", "bias", "--out", "films.kith")
    assert run_json("search", "--model-file", "films.kith", "the", "godfather")["items"][0]["item_id"] == "tt01"
    write("people.csv", "user,age\nann,30\n")
    os.rename("ratings2.csv.items.csv", "films.csv")
    run(*"train --data ratings2.csv --items films.csv --users people.csv --model ials --out films.kith".split())


def test_the_svd_example_is_reproduced_to_the_printed_digits():
    want = [[4.297, 0, 4.719, 0], [1.086, 2.276, 0, 1.644], [4.448, 4.368, 0.522, 3.181]]
    write("seven.csv", SEVEN)
    run("train", "--data", "seven.csv", "--model", "svd", "-p", "n_factors=2", "--out", "m.kith")
    for u in range(3):
        for i in range(4):
            got = run_json("predict", "--model-file", "m.kith", "--user", f"U{u + 1}", "--item", f"M{i + 1}")
            assert abs(max(got["raw"], 0) - want[u][i]) < 5.1e-4, (u, i, got)  # half of the last printed digit
    assert "4.297" in run("predict", "--model-file", "m.kith", "--user", "U1", "--item", "M1").stdout


def test_the_knn_formula_of_the_source_document():
    # sim(U1, U3) over full rows: 20 / (sqrt(41) sqrt(50)); only U3 of U1's neighbours rated M2, so the estimate is 4.
    write("seven.csv", SEVEN)
    run("train", "--data", "seven.csv", "--model", "user-knn", "-p", "similarity=cosine", "-p", "variant=basic", "--out",
        "m.kith")
    got = run_json("predict", "--model-file", "m.kith", "--user", "U1", "--item", "M2")
    assert abs(got["raw"] - 4) < 1e-5, got
    # U3 on M3: only U1 has it (5).  U2 on M1: neighbour U3 alone shares films with U2, and gave 5.
    assert abs(run_json("predict", "--model-file", "m.kith", "--user", "U2", "--item", "M1")["raw"] - 5) < 1e-5


def test_every_model_trains_saves_and_recommends():
    with open(small(), encoding="utf-8") as f:
        write("worded.csv", f.read())
    write("worded.csv.items.csv", "item,title\n" + "".join(f"i{i},{'Red' if i % 2 else 'Blue'} Film of {i % 7} Cats\n" for i in range(20)))
    write("people.csv", "user,item\n" + "".join(f"u{u},u{(u + step) % 12}\n" for u in range(12) for step in (1, 4)))
    for m in run_json("models")["models"]:
        model, data = m["name"], "people.csv" if "people" in m["needs"] else "worded.csv"
        run("train", "--data", data, "--model", model, "--out", f"{model}.kith")
        got = run_json("recommend", "--model-file", f"{model}.kith", "--user", "u3", "-n", "5", "--explain")
        assert got["basis"] == "user" and 1 <= len(got["items"]) <= 5, (model, got)
        scores = [item["score"] for item in got["items"]]
        assert scores == sorted(scores, reverse=True), (model, scores)


def test_a_new_user_is_folded_in_and_an_unknown_one_is_said_to_be():
    small()
    run("train", "--data", "small.csv", "--model", "item-knn", "--out", "m.kith")
    got = run_json("recommend", "--model-file", "m.kith", "--liked", "i0,i2,nonesuch", "-n", "3")
    assert got["basis"] == "liked" and "nonesuch" in got["note"], got
    assert not {"i0", "i2"} & {item["item_id"] for item in got["items"]}, got
    got = run_json("recommend", "--model-file", "m.kith", "--user", "nobody")
    assert got["basis"] == "popular" and got["note"], got
    done = run("recommend", "--model-file", "m.kith", "--user", "nobody", "--on-unknown", "error", code=1)
    assert "nobody" in done.stderr


def test_evaluate_reports_the_promised_fields():
    small()
    got = run_json("evaluate", "--data", "small.csv", "--model", "bias", "--protocol", "kfold:3", "--metrics",
                   "rmse,mae,ndcg@5")
    for field in ["model", "params", "protocol", "seed", "n_users", "n_test", "metrics", "fit_seconds", "eval_seconds",
                  "peak_rss_bytes"]:
        assert field in got, field
    assert len(got["metrics"]["rmse"]["folds"]) == 3
    both = run_json("evaluate", "--data", "small.csv", "--model", "popularity,item-knn", "--protocol", "holdout:0.7",
                    "--metrics", "ndcg@5")
    assert [m["model"] for m in both["models"]] == ["popularity", "item-knn"] and both["comparisons"]
    text = run("evaluate", "--data", "small.csv", "--model", "popularity,item-knn", "--metrics", "ndcg@5").stdout
    assert "popularity" in text and "ndcg@5" in text


def test_same_figures_for_one_and_four_threads():
    small()
    drop = {"fit_seconds", "eval_seconds", "peak_rss_bytes"}

    def figures(threads):
        got = run_json("evaluate", "--data", "small.csv", "--model", "ials", "--threads", threads, "--protocol", "kfold:2")
        return {key: value for key, value in got.items() if key not in drop}

    assert figures("1") == figures("4")


def test_two_files_are_a_predefined_split():
    write("a.csv", "user,item\na,x\na,y\nb,x\nb,z\nc,y\nc,z\n")
    write("b.csv", "user,item\na,z\nb,y\n")
    got = run_json("evaluate", "--train", "a.csv", "--test", "b.csv", "--model", "popularity", "--metrics", "recall@1")
    assert got["protocol"].startswith("predefined") and got["n_test"] == 2 and got["metrics"]["recall@1"]["mean"] == 1.0


def test_a_published_split_is_named_by_the_protocol():
    os.mkdir("ml")
    line = "{}\t{}\t{}\t88\n".format
    write("ml/u.data", "".join(line(u, i, 1 + (u + i) % 5) for u in range(5) for i in range(5)))
    write("ml/u2.base", "".join(line(u, i, 1 + (u + i) % 5) for u in range(5) for i in range(5) if u != i))
    write("ml/u2.test", "".join(line(u, u, 1 + 2 * u % 5) for u in range(5)))
    got = run_json("evaluate", "--data", "ml", "--protocol", "predefined:u2", "--model", "bias", "--metrics", "rmse")
    assert got["protocol"] == "predefined:u2" and got["n_train"] == 20 and got["n_test"] == 5, got
    told = run("evaluate", "--data", "ml", "--protocol", "predefined:u7", "--model", "bias", code=2).stderr
    assert "u7" in told, told
    told = run("evaluate", "--data", "ml", "--layout", "movielens-100k:u2", "--protocol", "predefined:u1", "--model", "bias",
               code=1).stderr
    assert "movielens-100k:u2" in told, told


def test_the_table_of_figures_is_true():
    small()
    args = ["evaluate", "--data", "small.csv", "--protocol", "holdout:0.7", "--metrics", "ndcg@5,gini@5"]
    text = run(*args, "--model", "popularity").stdout
    row = {line.split()[0]: line for line in text.splitlines() if line}
    assert "±" in row["ndcg@5"] and "±" in row["gini@5"], text
    text = run(*args, "--model", ",".join(["popularity"] * 30)).stdout
    figures = text[: text.index("minus")]
    assert figures.count("popularity") == 31 and figures.count("±") == 60, text  # and one in the heading that follows


def blocks_of(text):
    """The blocks of the table of figures: for each its lines, the header first."""
    blocks = [block.splitlines() for block in text.split("\n\n")]
    return [block for block in blocks if block[0].startswith("metric ") and not "difference" in block[0]]


def test_many_models_stand_in_blocks_that_fit_and_line_up():
    small()
    models = "popularity,random,bias,user-knn,item-knn,svd,ials"
    args = ["evaluate", "--data", "small.csv", "--protocol", "holdout:0.7", "--model", models]
    for width, text in [(100, run(*args).stdout), (80, without_bold(on_terminal(80, *args))),
                        (120, without_bold(on_terminal(120, *args)))]:
        blocks = blocks_of(text)
        assert len(blocks) > 1 and max(map(len, text.splitlines())) <= width, text
        assert [name for block in blocks for name in block[0].split()[1:]] == models.split(","), text
        for block in blocks:
            assert [line.split()[0] for line in block] == [line.split()[0] for line in blocks[0]], text
            points = {i for line in block[1:-2] for i, c in enumerate(line) if c == "."}
            assert len(points) <= 2 * len(block[0].split()[1:]), text  # a mean and an interval of each model
        assert not [line for line in text.splitlines() if line != line.rstrip() and "minus" not in line and "±" in line], text


def test_no_negative_zero_and_raw_errors_only_where_they_differ():
    small()
    args = ["evaluate", "--data", "small.csv", "--protocol", "holdout:0.7"]
    text = run(*args, "--model", "popularity,popularity,bias").stdout
    assert "-0.0000" not in text and "+0.0000" not in text and " 0.0000 to 0.0000" in text, text
    assert "rmse_raw" not in run(*args, "--model", "popularity").stdout
    assert "rmse_raw" in run_json(*args, "--model", "popularity")["metrics"]
    assert "rmse_raw" in run(*args, "--model", "popularity", "--metrics", "rmse,rmse_raw").stdout
    got = run_json(*args, "--model", "svd")["metrics"]
    assert round(got["rmse"]["mean"], 4) != round(got["rmse_raw"]["mean"], 4), got
    assert "rmse_raw" in run(*args, "--model", "svd").stdout
    assert "ials has no rmse, mae: " in run(*args, "--model", "ials").stdout


def test_unusual_ways_to_evaluate_say_so():
    small()
    base = ["evaluate", "--data", "small.csv", "--model", "popularity", "--protocol", "holdout:0.7"]
    text = run(*base, "--metrics", "ndcg@5", "--negatives", "3", "--ties", "average").stdout
    assert "SAMPLED" in text and "3 negatives" in text and "all orders of ties" in text, text
    text = run(*base, "--metric-style", "implicit").stdout
    assert "implicit 0.7.3" in text and "auc_at@10" in text, text
    told = run(*base, "--metric-style", "implicit", "--metrics", "mrr@5", code=2).stderr
    assert "mrr" in told and "of implicit" in told, told
    assert "no user column" in run(*base, "--group-users", "gender", code=2).stderr


def test_groups_are_shown_as_tables():
    write("g.csv", "user,item\n" + "".join(f"u{u},i{(u * u + j) % 14}\n" for u in range(30) for j in range(4)))
    write("g.users.csv", "user,gender\n" + "".join(f"u{u},{'FM'[u % 2]}\n" for u in range(30)))
    write("g.items.csv", "item,genres\n" + "".join(f"i{i},{['a', 'a|b', 'b'][i % 3]}\n" for i in range(14)))
    args = ["evaluate", "--data", "g.csv", "--users", "g.users.csv", "--items", "g.items.csv", "--model", "popularity",
            "--protocol", "holdout:0.7", "--metrics", "recall@3", "--group-users", "gender", "--group-items", "genres"]
    text = run(*args).stdout
    for words in ["quality by group of users", "gender  users  recall@3", "exposure@3", "ratio"]:
        assert words in text, text
    groups = run_json(*args)["fairness"]["users"]["groups"]
    assert sorted(g["group"] for g in groups) == ["F", "M"], groups


def test_json_holds_what_is_not_utf8():
    small()
    run("train", "--data", "small.csv", "--model", "item-knn", "--out", "m.kith")
    odd = b"\xff\"q".decode("utf-8", "surrogateescape")
    got = run_json("recommend", "--model-file", "m.kith", "--user", odd)
    assert got["user"] == '?"q' and got["basis"] == "popular" and '?"q' in got["note"], got
    got = run_json("recommend", "--model-file", "m.kith", "--liked", "i1," + odd)
    assert got["user"] is None and '?"q' in got["note"], got
    assert run_json("predict", "--model-file", "m.kith", "--user", odd, "--item", "i1")["is_fallback"]
    assert run_json("data", "convert", "small.csv", "--out", "x" + odd)["path"] == 'x?"q'


def test_wrong_usage_exits_2_and_says_what_to_do():
    small()
    for words, told in [
        (["frobnicate"], "no command"),
        (["train", "--model", "ials", "--out", "m"], "--data"),
        (["train", "--data", "small.csv", "--model", "ials", "--out", "m", "-p", "n_factors=0"], "n_factors"),
        (["train", "--data", "small.csv", "--model", "ials", "--out", "m", "-p", "dims=8"], "n_factors"),
        (["train", "--data", "small.csv", "--model", "ials", "--out", "m", "-p", "bias.reg=1"], "another model"),
        (["train", "--data", "small.csv", "--model", "ials", "--out", "m", "-p", "reg"], "key=value"),
        (["data", "stats"], "PATH"),
        (["recommend", "--model-file", "m.kith"], "--user"),
        (["recommend", "--model-file", "m.kith", "--all-users", "x.csv", "--exclude", "i1"], "--exclude"),
        (["data", "generate", "--noise", "0", "--out", "g.csv"], "noise"),  # 0 would be the default
        (["data", "generate", "--rank", "257", "--out", "g.csv"], "1 to 256"),
        (["evaluate", "--data", "small.csv", "--model", "bias", "--nonsense"], "--nonsense"),
        (["evaluate", "--data", "small.csv", "--model", "bias", "--seed", "x"], "seed"),
    ]:
        done = run(*words, code=2)
        assert told in done.stderr, (words, done.stderr)
        assert not done.stdout, words


def test_typing_errors_are_met_with_the_nearest_name_before_any_data_is_read():
    for words, told in [
        ("trian", 'did you mean "train"?'),
        ("dat stats", 'did you mean "data stats"?'),
        ("data stat x.csv", 'did you mean "data stats"?'),
        ("data", "data wants one of: stats, convert, generate, anonymise"),
        ("help evalate", 'did you mean "evaluate"?'),
        ("train --modle x", "did you mean --model?"),
        ("recommend --liekd=3", "did you mean --liked?"),
        ("data convert x --out y --to cvs", 'did you mean "csv"?'),
        ("data stats x --duplicates maen", 'did you mean "mean"?'),
        ("data stats x --layout movielens100k", 'did you mean "movielens-100k"?'),
        ("recommend -f x -u 1 --on-unknown eror", 'did you mean "error"?'),
        ("models easy", 'did you mean "ease"?'),
        ("train --data x --model als --out y", 'did you mean "ials"?'),
        ("train --data x --model ials -p n_factor=3 --out y", 'did you mean "n_factors"?'),
        ("evaluate --data x --model ials,ease -p n_factor=3", 'did you mean "n_factors"?'),
        ("evaluate --data x --model ials --metrics rmse,ndgc@10", 'did you mean "ndcg"?'),
        ("evaluate --data x --model ials --protocol tempral:0.8", 'did you mean "temporal"?'),
    ]:
        assert told in run(*words.split(), code=2).stderr, words
    for words in ["frobnicate", "help train now", "train -z", "models qqqqqq"]:
        assert "did you mean" not in run(*words.split(), code=2).stderr, words


def test_failures_exit_1_and_name_the_place():
    write("bad.csv", "user,item,rating\na,x,4\nb,y,five\n")
    done = run("data", "stats", "bad.csv", code=1)
    assert "bad.csv:3" in done.stderr, done.stderr
    assert run_json("data", "stats", "bad.csv", "--skip-bad", "1")
    done = run("data", "stats", "nowhere.csv", code=1)
    assert "nowhere.csv" in done.stderr
    write("notamodel", "hello, this is not a model at all\n")
    assert "notamodel" in run("recommend", "--model-file", "notamodel", "--user", "a", code=1).stderr


def test_filters_pipelines_and_why_not():
    rows = ["item_id,title,kind,price"] + [f"i{j},Film {j},{'ab'[j % 2]},{j}" for j in range(20)]
    write("small.csv.items.csv", "\n".join(rows) + "\n")
    run("train", "--data", small(), "--model", "item-knn", "--out", "m.kith")
    ask = ["--model-file", "m.kith", "--user", "u0"]
    some = run_json("recommend", *ask, "--filter", 'kind = "a" and price < $most', "--context", '{"most": 12}')
    assert some["items"] and all(int(i["item_id"][1:]) % 2 == 0 and int(i["item_id"][1:]) < 12 for i in some["items"]), some
    clauses = some["report"]["filter"]["clauses"]
    assert [c["text"] for c in clauses] == ['kind = "a"', "price < $most"] and all(c["removes"] > 0 for c in clauses), some
    # nothing passes: the answer says which clause to relax
    told = run("recommend", *ask, "--filter", 'kind = "a" and price > 100')
    assert "nothing is left" in told.stdout and "price" in told.stderr, told
    told = run("recommend", *ask, "--filter", "price = red", code=2).stderr
    assert "price = red" in told and "^" in told, told
    assert "pipeline, /moon" in run("recommend", *ask, "--pipeline", write("p.json", '{"moon": 1}'), code=2).stderr
    pinned = run_json("recommend", *ask, "--pipeline", write("p.json", json.dumps(
        {"rules": {"pin": [{"item": some["items"][-1]["item_id"], "at": 1}]}, "explore": {"slots": 1}})), "-n", "3")
    assert pinned["items"][0]["item_id"] == some["items"][-1]["item_id"] and pinned["items"][2]["propensity"] < 1, pinned
    why = run_json("why-not", *ask, "--item", "i3", "--filter", 'kind = "a"')
    assert why["why"] in ("filtered", "seen"), why
    assert run_json("why-not", *ask, "--item", pinned["items"][0]["item_id"])["why"] == "shown"
    assert run_json("why-not", *ask, "--item", "nothing")["why"] == "unknown"
    assert "der Katalog mit" in run_json("why-not", *ask, "--item", "nothing", "--language", "de-CH")["sentence"]
    assert "there are en, de" in run("why-not", *ask, "--item", "nothing", "--language", "xx", code=2).stderr


LAPTOPS = """item_id,title,category,price,ram,weight
l1,Thin 13,laptop,1150,16,1.1
l2,Heavy 17,laptop,900,32,3.0
l3,Office 14,laptop,700,8,1.6
l4,Dream 16,laptop,2600,64,1.9
l5,New 14,laptop,1250,16,1.3
t1,Pad,tablet,500,8,0.5
"""


def laptops():
    """Six machines, of which l5 was never bought, and five people."""
    write("shop.csv", "user,item\n" + "".join(f"{u},{i}\n" for u, i in zip("aabbcccddde", "l1 l2 l1 l3 l1 l4 t1 l2 l3 t1 l3".split())))
    write("shop.csv.items.csv", LAPTOPS)
    run("train", "--data", "shop.csv", "--model", "item-knn", "--out", "shop.kith")
    return ["recommend", "--model-file", "shop.kith", "--filter", 'category = "laptop"']


def test_a_laptop_is_found_by_features_and_budget_with_no_history():
    ask = [*laptops(), "--wish", "3: price <= 1200", "--wish", "ram >= 16", "-w", "weight <= 1.5"]
    report = run_json(*ask)
    degrees = {i["item_id"]: [w["degree"] for w in i["wishes"]] for i in report["items"]}
    # l2 weighs twice what it should; l3 has half of the memory, 0.1 of 1.5 too much; l4 costs over twice the budget
    want = {"l1": [1, 1, 1], "l5": [1 - 50 / 1200, 1, 1], "l2": [1, 1, 0], "l3": [1, 0.5, 1 - 0.1 / 1.5], "l4": [0, 1, 1 - 0.4 / 1.5]}
    assert {i: [round(x, 9) for x in d] for i, d in degrees.items()} == {i: [round(x, 9) for x in d] for i, d in want.items()}, degrees
    assert [i["item_id"] for i in report["items"]] == ["l1", "l5", "l3", "l2", "l4"], report  # l5 was never bought
    assert abs(report["items"][1]["score"] - (3 * want["l5"][0] + 2) / 5) < 1e-6, report
    assert report["basis"] == "wishes" and report["note"] == "" and report["items"][0]["wishes"][0]["weight"] == 3, report
    assert report["report"]["wishes"][0] == {"want": "price <= 1200", "weight": 3, "met": 3, "best": 1}, report
    told = run(*ask).stdout
    assert "all" in told and "price <= 1200: 96%" in told and "weight <= 1.5: 0%" in told, told
    told = run(*ask, "--explain", "--language", "de").stdout
    assert "erfüllt alle deine Wünsche" in told and "erfüllt deine Wünsche zu 98" in told, told


def test_wishes_stand_beside_a_history_and_are_shared_out_with_it():
    ask = [*laptops(), "--user", "e", "--wish", "ram >= 16"]  # e has l3
    report = run_json(*ask, "--explain")
    assert report["basis"] == "user" and report["items"][0]["item_id"] == "l1", report  # of three that tie, the model's
    assert report["items"][0]["reason"] == "meets your wish; because you liked Office 14", report
    write("half.json", '{"rank": {"wishes": 0.2}}')
    half = run_json(*[*ask[:-1], "ram >= 64"], "--pipeline", "half.json")
    assert half["items"][0]["item_id"] == "l1", half  # 0.2 of 0.25, and 0.8 of what the model likes best
    assert run_json(*ask[:-1], "ram >= 64")["items"][0]["item_id"] == "l4"
    assert run_json("why-not", *ask[1:], "--item", "l4", "-n", "1")["why"] == "below"
    nothing = run(*ask[:3], "--filter", "category = 'laptop' and price < 500", "--wish", "ram >= 16", "-n", "2")
    assert "nothing is left" in nothing.stdout and "without `price < 500`" in nothing.stderr, nothing  # what to relax first
    wrong = run(*ask, "--wish", "ram >= lots", code=2).stderr
    assert "wishes, /1" in wrong and "^^^^" in wrong, wrong
    far = run(*ask, "--wish", "ram >= 100").stderr
    assert "nothing meets `ram >= 100` in full; the nearest comes to 64%" in far, far


def test_a_request_brings_wishes_for_all_and_of_single_users():
    _, good_response = schema_of("response")
    rows = [dict(zip(LAPTOPS.split("\n")[0].split(","), line.split(","))) for line in LAPTOPS.split("\n")[1:-1]]
    request = {"recommendation_data": {
        "user_data": [{"user_id": "a"}, {"user_id": "new", "wishes": ["weight <= 1.5", {"want": "ram >= $ram", "weight": 3}]}],
        "item_data": [{k: v if k in ("item_id", "title", "category") else float(v) for k, v in row.items()} for row in rows],
        "interaction_data": [{"user_id": u, "item_id": i} for u, i in zip("aabbcc", "l1 l2 l1 l3 l1 l4".split())],
        "context_data": {"users": ["a", "new"], "filter": 'category = "laptop"', "wishes": ["3: price <= 1200"], "values": {"ram": 32}}},
        "recommendation_configuration": {"algorithm_type": "collaborative_filtering", "model_parameters": {"method": "item_knn"}},
        "deployment_configuration": {"caching_strategy": "memory"}}
    result, _ = serve(request)
    good_response(result)
    a, new = result["recommendation_results"]["recommendations"]["user_recommendations"]
    assert [i["item_id"] for i in a["recommended_items"]] == ["l3", "l5", "l4"], a  # l1 and l2 are a's
    assert [w["want"] for w in new["recommended_items"][0]["wishes"]] == ["price <= 1200", "weight <= 1.5", "ram >= $ram"], new
    assert new["recommendation_metadata"]["basis"] == "wishes", new
    assert new["recommended_items"][0]["item_id"] == "l2", new  # 6 of 7; l1 has half of the memory, but is light: 5.5 of 7
    assert result["metadata"]["context"]["wishes"] == ["3: price <= 1200"], result["metadata"]
    request["recommendation_data"]["user_data"][1]["wishes"][1]["want"] = "rum >= 3"
    request["recommendation_data"]["context_data"]["wishes"].append("0: price > 3")
    result, _ = serve(request, code=1)
    at = [v["pointer"] for v in result["error"]["violations"]]
    assert at == ["/recommendation_data/context_data/wishes/1", "/recommendation_data/user_data/1/wishes/1/want"], result


def test_reasons_and_notes_speak_the_language_asked_for():
    titled()
    ask = ["recommend", "--model-file", "m.kith", "--explain"]
    german = run_json(*ask, "--liked", "i0,i2", "--language", "de")
    assert all(i["reason"].startswith(("weil dir", "wegen", "von")) for i in german["items"]), german
    done = run(*ask, "--user", "nobody", "--language", "fr-CA")
    assert "le modèle ne connaît pas" in done.stderr and "personnes" in done.stdout, done
    done = run(*ask, "--user", "u1", "--language", "klingon", code=2)
    assert "there are en, de, es, fr, it, pt" in done.stderr, done.stderr


def test_a_block_list_acts_on_every_surface():
    titled()
    write("block.txt", "# nothing of the sea\ntoy story\n\"Good, the Bad\"\nunicorn\n")  # i2, i3, i4
    ask = ["--model-file", "m.kith", "--block", "block.txt"]
    for who in (["--user", "u1"], ["--user", "nobody"], ["--liked", "i0,i1"]):
        done = run("recommend", *who, *ask, "-n", "20", "--json", "--include-seen")
        report = json.loads(done.stdout)
        assert len(report["items"]) > 5 and not {i["item_id"] for i in report["items"]} & {"i2", "i3", "i4"}, report
        assert report["report"]["block"] == {"items": 3} and "unicorn" in done.stderr, done
    assert not {i["item_id"] for i in run_json("similar", "--item", "i0", "-n", "20", *ask)["items"]} & {"i2", "i3", "i4"}
    run("recommend", *ask, "--all-users", "all.csv")
    with open("all.csv", encoding="utf-8") as f:
        rows = f.read()
    assert ",i5," in rows and not any(f",{i}," in rows for i in ("i2", "i3", "i4")), rows
    verdict = run_json("why-not", "--user", "u1", "--item", "i3", *ask)
    assert (verdict["why"], verdict["entry"]) == ("blocked", "toy story"), verdict
    write("bad.txt", "toy story\ngenre: horror\n")
    done = run("recommend", "--user", "u1", "--model-file", "m.kith", "--block", "bad.txt", code=2)
    assert "line 2: items have no column" in done.stderr, done.stderr


def test_a_request_brings_a_block_list():
    _, good_response = schema_of("response")
    request = tastes(deployment_configuration={"caching_strategy": "memory"})
    request["recommendation_data"]["context_data"] = {"block": ["category: even", "id: i1", "unicorn"]}
    result, _ = serve(request)
    good_response(result)
    both = result["recommendation_results"]["recommendations"]
    shown = {i["item_id"] for u in both["user_recommendations"] for i in u["recommended_items"]}
    alike = {i["similar_item_id"] for u in both["item_recommendations"] for i in u["similar_items"]}
    assert shown and alike and all(int(i[1:]) % 2 == 1 and i != "i1" for i in shown | alike), (shown, alike)
    assert result["metadata"]["block"]["items"] == 11, result["metadata"]
    assert any("unicorn" in w for w in result["metadata"]["warnings"]), result["metadata"]
    request["recommendation_data"]["context_data"]["block"][0] = "kategory: even"
    result, _ = serve(request, code=1)
    assert result["error"]["violations"][0]["pointer"] == "/recommendation_data/context_data/block", result


def test_new_users_and_new_items_of_a_hybrid_are_served_and_the_reason_says_how():
    with open(os.path.join(CONTRACT, "content.json"), encoding="utf-8") as f:
        request = json.load(f)
    request["recommendation_data"]["user_data"].append({"user_id": "new", "interests": ["AI", "robots"]})
    request["recommendation_data"]["item_data"].append({"item_id": "fresh", "title": "AI for robots", "tags": ["AI"]})
    for method in ("weighted", "switching", "mixed", "cascade"):
        request["recommendation_configuration"] = {"algorithm_type": "hybrid", "model_parameters": {"method": method}}
        result, _ = serve(request)
        lists = {u["user_id"]: u for u in result["recommendation_results"]["recommendations"]["user_recommendations"]}
        assert lists["new"]["recommendation_metadata"]["basis"] == "text", lists["new"]
        first = lists["new"]["recommended_items"][0]
        assert first["item_id"] == "fresh" and "robots" in first["reason"] and "new: nobody has it yet" in first["reason"], first
        assert any(i["item_id"] == "fresh" and "new" in i["reason"] for i in lists["user1"]["recommended_items"]), lists


def test_a_request_names_its_language():
    request = tastes()
    request["recommendation_data"]["context_data"] = {"language": "de-AT", "users": ["u1", "u40"]}
    result, _ = serve(request)
    first, cold = result["recommendation_results"]["recommendations"]["user_recommendations"]
    assert all(i["reason"].startswith(("weil dir", "wegen")) for i in first["recommended_items"]), first
    assert "beliebte Artikel" in cold["recommendation_metadata"]["note"], cold
    assert "Personen bewertet" in cold["recommended_items"][0]["reason"], cold
    request["recommendation_data"]["context_data"]["why_not"] = ["nothing"]
    result, _ = serve(request)
    first = result["recommendation_results"]["recommendations"]["user_recommendations"][0]
    assert first["recommendation_metadata"]["why_not"][0]["sentence"].startswith("der Katalog"), first
    del request["recommendation_data"]["context_data"]["why_not"]
    request["recommendation_data"]["context_data"]["language"] = "xx"
    result, _ = serve(request, code=1)
    assert result["error"]["violations"][0]["pointer"] == "/recommendation_data/context_data/language", result


def test_data_is_handed_on_without_names():
    write("users.csv", "user_id,age,name\n" + "".join(f"u{u},{20 + u},Person {u} of the long list of people\n" for u in range(40)))
    words = ["data", "anonymise", small(), "--users", "users.csv", "--out", "open.csv", "--key-file", "key"]
    assert "head -c 32" in run(*words, code=1).stderr
    write("key", "sixteen letters!")
    report = run_json(*words, "--coarsen", "age=10", "--time-step", "86400")
    assert report["k_anonymity"]["k"] == 10 and report["dropped"] == ["name"], report
    with open("open.csv", encoding="utf-8") as f:
        text = f.read()
    with open("open.csv.users.csv", encoding="utf-8") as f:
        text += f.read()
    assert "u1," not in text and "Person" not in text and "20-29" in text, text[:300]
    assert "coarsen" in run(*words, "--coarsen", "height=3", "--force", code=2).stderr
    assert "k-anonymity 1: 40 of 40 users are alone" in run(*words, "--force").stdout
    # every command that reads data takes it: the same copy, and a model that knows nobody by name
    told = run("data", "convert", *words[2:], "--anonymise", "--coarsen", "age=10", "--time-step", "86400", "--force")
    assert "k-anonymity 10: 0 of 40 users are alone" in told.stderr, told
    with open("open.csv", encoding="utf-8") as f:
        again = f.read()
    with open("open.csv.users.csv", encoding="utf-8") as f:
        assert again + f.read() == text
    run("train", "--data", "small.csv", "--model", "item-knn", "--out", "m.kith", "--anonymise", "--key-file", "key")
    assert "not known" in run("recommend", "--model-file", "m.kith", "--user", "u1").stderr
    hashed = text.splitlines()[1].split(",")[0]
    assert run_json("recommend", "--model-file", "m.kith", "--user", hashed)["basis"] == "user"
    assert run_json("data", "stats", "small.csv", "--anonymise", "--key-file", "key")["counts"]["users"] == 40
    assert "--key-file" in run("data", "convert", "small.csv", "--out", "x.csv", "--anonymise", code=2).stderr


def test_a_run_knows_nobody():
    write("key", "sixteen letters!")
    people = [f"person-{u}" for u in range(30)]
    rows = [{"user_id": people[u], "item_id": f"thing-{i}", "liked": True} for u in range(30) for i in range(12)
            if (u * 7 + i * 3) % 5 < 3 and u % 2 == i % 2]
    users = [{"user_id": p, "age": 20 + u, "name": f"Surname{u} of the long list of people", "wishes": ["price <= 5"]}
             for u, p in enumerate(people)]
    request = {"recommendation_data": {
        "user_data": users, "item_data": [{"item_id": f"thing-{i}", "price": i} for i in range(12)], "interaction_data": rows,
        "context_data": {"users": [people[3], "a stranger"], "why_not": ["thing-1"], "exclude_items": ["thing-3"]}},
        "recommendation_configuration": {"algorithm_type": "collaborative_filtering", "model_parameters": {"method": "item_knn"},
                                         "recommendation_count": 4}}
    write("request.json", json.dumps(request))
    words = ["run", "request.json", "--quiet", "--anonymise", "--key-file", "key", "--coarsen", "age=10"]
    text = run(*words).stdout
    plain = json.loads(run("run", "request.json", "--quiet").stdout)
    hidden = json.loads(text)
    for name in ("person-", "Surname", "a stranger"):
        assert name not in text, name
    lists = [r["recommendation_results"]["recommendations"]["user_recommendations"] for r in (plain, hidden)]
    assert [i["item_id"] for i in lists[0][0]["recommended_items"]] == [i["item_id"] for i in lists[1][0]["recommended_items"]]
    assert lists[1][0]["recommended_items"][0]["wishes"][0]["want"] == "price <= 5", "wishes go with their user"
    assert plain["metadata"]["data_statistics"] == hidden["metadata"]["data_statistics"]
    told = hidden["metadata"]["anonymised"]
    assert told["k_anonymity"]["k"] == 10 and told["dropped"] == ["name"] and "anonymised" not in plain["metadata"], told
    # the same name as in a copy of the data under that key
    write("one.csv", "user,item\nperson-3,thing-1\nperson-4,thing-2\n")
    run("data", "anonymise", "one.csv", "--out", "open.csv", "--key-file", "key")
    with open("open.csv", encoding="utf-8") as f:
        assert f.read().splitlines()[1].split(",")[0] == lists[1][0]["user_id"]
    # items too, and what the request says of them
    text = run(*words, "--hash-items").stdout
    other = json.loads(text)["recommendation_results"]["recommendations"]["user_recommendations"][0]
    assert "thing-" not in text and len(other["recommended_items"]) == len(lists[0][0]["recommended_items"]), other
    assert other["recommendation_metadata"]["why_not"][0]["why"] == lists[0][0]["recommendation_metadata"]["why_not"][0]["why"]
    request["recommendation_data"]["context_data"]["block"] = ["id: thing-2"]
    write("request.json", json.dumps(request))
    run(*words)
    error = json.loads(run(*words, "--hash-items", code=1).stdout)["error"]
    assert error["violations"][0]["pointer"] == "/recommendation_data/context_data/block", error
    context = request["recommendation_data"]["context_data"]
    del context["block"]
    for field, value in ("filter", 'item != "thing-4"'), ("wishes", ['item = "thing-4"']):  # by names that nothing has here
        write("named.json", json.dumps({**request, "recommendation_data": {**request["recommendation_data"],
                                                                           "context_data": {**context, field: value}}}))
        text = run("run", "named.json", *words[2:], "--hash-items", code=1).stdout
        assert json.loads(text)["error"]["violations"][0]["pointer"] == "/recommendation_data/context_data/" + field, text
    done = run("run", "request.json", "--tables", "--anonymise", "--key-file", "key")
    assert "k-anonymity 1: 30 of 30 users are alone" in done.stderr, done.stderr
    assert "--key-file" in run("run", "request.json", "--anonymise", code=2).stderr


def test_data_goes_round_through_every_layout():
    small()
    want = run_json("data", "stats", "small.csv")["fingerprint"]
    for name in ["x.kithdata", "x.csv", "x.tsv", "x.ndjson"]:
        run("data", "convert", "small.csv", "--out", name)
        assert run_json("data", "stats", name)["fingerprint"] == want, name


STORE_LINES = """{"type":"user","id":"ann","time_ms":1000,"attributes":{"age":31}}
{"type":"item","id":"x","time_ms":1000,"hidden":false,"attributes":{"title":"The X"}}
{"type":"event","user":"ann","item":"x","kind":"rating","value":4.5,"time_ms":2000,"id":"e1"}
{"type":"document","kind":"scenario","id":"home","time_ms":3000,"document":{"n":3}}
"""


def test_a_store_is_read_in_checked_copied_and_written_out():
    write("rows.ndjson", STORE_LINES)
    done = run("store", "import", "a.db", "rows.ndjson", code=None)
    if "built without SQLite" in done.stderr:
        print("skipped: kith was built without SQLite")
        return
    assert done.returncode == 0, done.stderr
    assert "1 users, 1 items, 1 events, 1 documents" in done.stdout
    assert run_json("store", "import", "a.db", "rows.ndjson")["repeated_events"] == 1
    assert run("store", "check", "a.db").stdout.startswith("sound: 1 users, 1 items, 1 events")
    run("store", "backup", "a.db", "--out", "b.db")
    run("store", "backup", "a.db", "--out", "b.db")  # a store may replace a store
    for db in ["a.db", "b.db"]:
        run("store", "export", db, "--out", db + ".ndjson")
    read = lambda name: open(name, encoding="utf-8").read()
    assert read("a.db.ndjson") == read("b.db.ndjson")
    want = [json.loads(line) for line in STORE_LINES.splitlines()]
    got = [{k: v for k, v in json.loads(line).items() if k not in ("index", "seq")} for line in open("a.db.ndjson")]
    assert got == want, got
    run("store", "export", "a.db", "--out", "a.db", code=2)  # is read and cannot be written
    write("mine.txt", "my notes")
    run("store", "export", "a.db", "--out", "mine.txt", code=2)
    assert "not an SQLite database" in run("store", "check", "mine.txt", code=1).stderr
    # Reading alone may leave an empty log and its index; nothing else is left lying about.
    assert {name.split(".")[-1] for name in os.listdir(".")} <= {"db", "ndjson", "txt", "db-wal", "db-shm"}, os.listdir(".")
    write("wrong.ndjson", STORE_LINES + '{"type":"film"}\n')
    assert "wrong.ndjson: line 5" in run("store", "import", "c.db", "wrong.ndjson", code=1).stderr


def test_files_that_are_written_beside_are_told():
    write("films.csv", "item,title,genres\n" + "".join(f"f{j},Film {j},{'Drama' if j % 2 else 'Comedy'}\n" for j in range(30)))
    args = ["data", "generate", "--items", "films.csv", "--n-users", "20", "--n-interactions", "200"]
    assert "viewers.csv (csv), and viewers.csv.items.csv" in run(*args, "--out", "viewers.csv").stdout
    assert os.path.exists("viewers.csv.items.csv")
    assert run_json(*args, "--out", "viewers.csv", "--force")["beside"] == ["viewers.csv.items.csv"]
    assert run_json(*args, "--out", "viewers.kithdata")["beside"] == []
    assert "OUT.items.csv" in run("help", "data", "generate").stdout


def test_generated_data_follows_the_seed():
    args = ["data", "generate", "--n-users", "200", "--n-items", "50", "--n-interactions", "2000"]
    run(*args, "--out", "a.csv")
    run(*args, "--out", "b.csv", "--threads", "1")
    run(*args, "--out", "c.csv", "--seed", "7")
    read = lambda name: open(name, encoding="utf-8").read()
    assert read("a.csv") == read("b.csv") != read("c.csv")


def test_lists_for_all_users_agree_with_single_ones():
    small()
    run("train", "--data", "small.csv", "--model", "ials", "--out", "m.kith")
    run("recommend", "--model-file", "m.kith", "--all-users", "lists.csv", "-n", "3")
    rows = [line.split(",") for line in open("lists.csv", encoding="utf-8").read().splitlines()[1:]]
    got = run_json("recommend", "--model-file", "m.kith", "--user", "u7", "-n", "3")
    assert [r[2] for r in rows if r[0] == "u7"] == [item["item_id"] for item in got["items"]]


def test_similar_leaves_the_item_itself_out():
    small()
    run("train", "--data", "small.csv", "--model", "item-knn", "--out", "m.kith")
    got = run_json("similar", "--model-file", "m.kith", "--item", "i4", "-n", "4")
    assert len(got["items"]) == 4 and "i4" not in {item["item_id"] for item in got["items"]}


def test_what_is_read_is_not_overwritten_and_a_pipe_is_not_replaced():
    small()
    assert "is read" in run("train", "--data", "small.csv", "--model", "bias", "--out", "./small.csv", code=2).stderr
    assert "is read" in run("data", "convert", "small.csv", "--out", "small.csv", code=2).stderr
    os.mkfifo("pipe")
    assert "not a regular file" in run("data", "convert", "small.csv", "--out", "pipe", "--to", "csv", code=1).stderr
    os.symlink("target.csv", "link.csv")
    write("target.csv", "old\n")
    run("data", "convert", "small.csv", "--out", "link.csv", "--force")
    assert os.path.islink("link.csv") and open("target.csv", encoding="utf-8").read().startswith("user_id")


def test_a_file_of_another_kind_is_only_replaced_by_force():
    small()
    train = ["train", "--data", "small.csv", "--model", "bias", "--out"]
    convert = ["data", "convert", "small.csv", "--out"]
    run(*train, "m.kith")
    run(*train, "m.kith")  # a model may replace a model
    run(*convert, "d.kithdata")
    for name in ["x.csv", "x.tsv", "x.ndjson", "d.kithdata"]:
        run(*convert, name)
        run(*convert, name)
        before = open(name, "rb").read()
        assert "--force" in run(*train, name, code=2).stderr
        assert open(name, "rb").read() == before, name
    notes = "my notes\n"
    for words in [train + ["notes"], convert + ["notes"], convert + ["notes", "--to", "csv"],
                  ["data", "generate", "--out", "notes"], ["recommend", "--model-file", "m.kith", "--all-users", "notes"],
                  ["evaluate", "--data", "small.csv", "--model", "bias", "--per-user", "notes"]]:
        write("notes", notes)
        assert "--force" in run(*words, code=2).stderr, words
        assert open("notes", encoding="utf-8").read() == notes, words
        run(*words, "--force", "--quiet")
        assert open("notes", "rb").read() != notes.encode(), words
    assert "--force" in run(*convert, "m.kith", code=2).stderr  # binary too, but no data
    write("empty", "")
    run(*train, "empty")
    assert "is read" in run("recommend", "--model-file", "m.kith", "--all-users", "m.kith", "--force", code=2).stderr


def test_words_are_trimmed_and_every_definition_is_there():
    small()
    run("evaluate", "--data", "small.csv", "--model", "popularity, bias", "--metrics", "rmse")
    rows = [line for line in run("metrics").stdout.splitlines() if line]
    assert any(row.startswith("precision@k") for row in rows)
    assert all(len(row.split()) > 2 for row in rows if not row.startswith(("metric ", "protocol "))), rows


def test_strangers_in_the_test_part_are_pointed_out():
    rows = ["user,item,timestamp"] + [f"u{u},i{u % 7 + j},{u * 100 + j}" for u in range(40) for j in range(5)]
    write("grow.csv", "\n".join(rows) + "\n")
    told = run("evaluate", "--data", "grow.csv", "--model", "popularity", "--metrics", "recall@3").stdout
    assert "have no training data" in told, told


def test_help_comes_from_the_tables_and_completion_knows_them():
    text = run("--help").stdout
    for word in ["train", "evaluate", "recommend", "similar", "predict", "data stats"]:
        assert word in text, word
        assert "--json" in run(*word.split(), "--help").stdout, word
    script = run("completion", "bash").stdout
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    probe = script + "\nCOMP_WORDS=(kith train --model ia); COMP_CWORD=3; _kith; echo ${COMPREPLY[@]}\n"
    assert "ials" in subprocess.run(["bash"], input=probe, text=True, capture_output=True, check=True).stdout
    assert "ials" in run("completion", "fish").stdout and run("completion", "zsh").stdout


def completed(*words):
    """What bash offers for the last of these words."""
    quoted = " ".join("'" + word + "'" for word in ["kith", *words])
    probe = run("completion", "bash").stdout + f"""
COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _kith; printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    return subprocess.run(["bash"], input=probe, text=True, capture_output=True, check=True).stdout.split("\n")[:-1]


def test_bash_completes_commands_letters_and_files():
    write("a file with blanks.csv", "")
    assert "evaluate" in completed("ev") and "generate" in completed("data", "g")
    assert completed("sto") == ["store"] and completed("store", "b") == ["backup"] and completed("data", "an") == ["anonymise"]
    assert completed("store", "backup", "--fo") == ["--force"]
    assert completed("train", "-m", "ia") == ["ials", "ials-text"] and completed("models", "ea") == ["ease"]
    assert completed("completion", "f") == ["fish"] and completed("data", "stats", "--layout", "ts") == ["tsv"]
    assert completed("train", "--data", "a") == ["a file with blanks.csv"] == completed("data", "stats", "a f")


def test_completion_goes_on_after_a_comma_and_after_an_equals_sign():
    assert completed("train", "--model", "ials,ea") == ["ials,ease"]
    assert "ials,ease,popularity" in completed("evaluate", "-m", "ials,ease,")
    assert completed("evaluate", "--metrics", "rmse,recall@20,ndcg@") == ["rmse,recall@20,ndcg@10"]
    assert completed("train", "--model", "=") == completed("train", "--model", "") and completed("train", "--model", "=", "ea") == ["ease"]
    if shutil.which("fish"):
        write("kith.fish", run("completion", "fish").stdout)
        offered = lambda line: [
            row.split("\t")[0] for row in subprocess.run(["fish", "-c", f"source kith.fish; complete -C '{line}'"], text=True,
                                                         capture_output=True, check=True).stdout.splitlines()]
        assert offered("kith train --model ials,ea") == ["ials,ease"]
        assert "rmse,ndcg@10" in offered("kith evaluate --metrics rmse,nd")
    if shutil.which("zsh"):
        script = "autoload -Uz compinit && compinit -D -u\n" + run("completion", "zsh").stdout
        probe = script + "\nCOMP_WORDS=(kith train --model ials,ea); COMP_CWORD=3; _kith; print -l ${COMPREPLY[@]}\n"
        told = subprocess.run(["zsh", "-f", "-o", "ksharrays"], input=probe, text=True, capture_output=True, check=True)
        assert "ials,ease" in told.stdout.split(), told  # zsh itself drops what does not begin as the word does


def test_fish_gets_every_quote_closed():
    for line in run("completion", "fish").stdout.splitlines():
        bare = line.replace("\\\\", "").replace("\\'", "")
        assert bare.count("'") % 2 == 0, line


def test_json_is_one_object_even_for_models_and_version():
    assert run_json("version")["version"]
    assert any(p["name"] == "n_factors" for p in run_json("models", "ials")["params"])
    for name in [m["name"] for m in run_json("models")["models"]]:
        assert max(map(len, without_bold(on_terminal(80, "models", name)).splitlines())) <= 80, name
    assert {m["name"] for m in run_json("metrics")["metrics"]} >= {"rmse", "ndcg", "recall"}
    assert "nonesuch" in run("models", "nonesuch", code=2).stderr


def test_memory_limit_is_said_before_the_work_starts():
    small()
    done = run("train", "--data", "small.csv", "--model", "ease", "--memory", "1k", "--out", "m.kith", code=1)
    assert "needs" in done.stderr and not os.path.exists("m.kith"), done.stderr


def open_terminal(columns):
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    return ours, theirs


def plain_environment(**more):
    return {**{k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}, **more}


def on_terminal(columns, *words, **environment):
    """What a terminal of so many columns is shown."""
    ours, theirs = open_terminal(columns)
    program = subprocess.Popen([KITH, *words], stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE,
                               env=plain_environment(**environment))
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # how Linux tells that nobody holds the other end any more
        pass
    os.close(ours)
    complaint = program.communicate()[1]
    assert program.returncode == 0, complaint
    return shown.decode().replace("\r\n", "\n")


def without_bold(text):
    return text.replace("\033[1m", "").replace("\033[0m", "")


def test_a_narrow_terminal_wraps_the_last_column_and_loses_no_word():
    piped, shown = run("models", "ials").stdout, without_bold(on_terminal(80, "models", "ials"))
    table = shown[shown.index("parameter ") :]
    indent = table.splitlines()[0].index("meaning")
    assert table.split() == piped[piped.index("parameter ") :].split()
    assert max(map(len, table.splitlines())) <= 80 < max(map(len, piped.splitlines()[6:]))
    further = [line for line in table.splitlines() if line.startswith(" ")]
    assert further and all(len(line) - len(line.lstrip()) == indent for line in further), further


def test_the_progress_bar_fits_a_narrow_terminal_and_ctrl_c_ends_the_work():
    small()
    for columns in (40, 24):
        ours, theirs = open_terminal(columns)
        program = subprocess.Popen([KITH, "train", "--data", "small.csv", "--model", "funk-svd", "-p", "n_epochs=100000", "-p",
                                    "n_factors=1024", "--threads", "1", "--out", "never.kith"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=theirs, env=plain_environment())
        os.close(theirs)
        shown = b""
        while shown.count(b"\r\033[K") < 3:
            shown += os.read(ours, 4096)
        program.send_signal(signal.SIGINT)
        assert program.wait() == 1 and not os.path.exists("never.kith")
        os.close(ours)
        bars = shown.decode(errors="ignore").split("\r\033[K")[1:-1]
        assert bars and all(line.startswith("fit funk-svd") and len(line) < columns for line in bars), bars


def test_headers_and_titles_are_bold_on_a_terminal_and_first_values_are_not():
    small()
    shown = on_terminal(100, "data", "stats", "small.csv")
    assert "\033[1mcounts\033[0m\nusers " in shown and "\033[1mvalue " in shown, shown
    assert shown.startswith("source "), shown
    assert "\033" not in run("data", "stats", "small.csv").stdout
    assert "\033" not in on_terminal(100, "data", "stats", "small.csv", NO_COLOR="1")
    assert on_terminal(60, "models") == on_terminal(100, "models", COLUMNS="60") != on_terminal(100, "models")


def test_help_of_a_command_and_of_the_data_commands():
    assert run("help", "train").stdout == run("train", "--help").stdout
    assert run("help", "data", "stats").stdout == run("data", "stats", "--help").stdout
    of_data = run("help", "data").stdout
    assert of_data == run("data", "--help").stdout
    for word in ["stats", "convert", "generate"]:
        assert run("help", "data", word).stdout in of_data, word
    assert '"nonesuch"' in run("help", "nonesuch", code=2).stderr
    assert '"train now"' in run("help", "train", "now", code=2).stderr


def test_help_is_wrapped_at_the_width_of_the_terminal():
    piped, shown = run("help", "evaluate").stdout, on_terminal(70, "help", "evaluate")
    for text, width in [(piped, 100), (shown, 70)]:
        options = text[text.index("\noptions:") :]
        assert max(map(len, options.splitlines())) <= width, text
        assert options.split() == piped[piped.index("\noptions:") :].split()


def test_stats_as_text_are_for_reading():
    small()
    text, stats = run("data", "stats", "small.csv").stdout, run_json("data", "stats", "small.csv")
    assert "first_unix" in stats["times"] and "unix" not in text
    assert stats["attributes"] == {"users": [], "items": []} and "attributes" not in text
    assert "median   12\n" in text and stats["per_user"]["median"] == 12
    assert ".0000" not in text, text
    assert f"data   {stats['memory']['data_bytes'] / 1000:.1f} kB\n" in text, text
    assert "\nshare held by the most popular items\npercent " in text
    assert text.index("\ncounts\n") < text.index("\nsuspicious\n") < text.index("\nper user\n")
    write("seven.csv", SEVEN)
    assert run_json("data", "stats", "seven.csv")["suspicious"] or "suspicious" not in run("data", "stats", "seven.csv").stdout


CONTRACT = os.path.join(ROOT, "test", "contract")


def schema_of(which):
    """The published schema, and a check by Python's jsonschema where that is installed."""
    schema = json.loads(run("schema", which).stdout)
    try:
        import jsonschema
    except ImportError:
        return schema, lambda value: None
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    return schema, checker.validate


def serve(request, *words, code=0):
    """Run a request (a path, or a value) and give the result and the events."""
    if not isinstance(request, str):
        request = write("request.json", json.dumps(request))
    done = run("run", request, *words, code=code)
    return json.loads(done.stdout), [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


def tastes(**more):
    """A request of forty users of two tastes."""
    rows = [{"user_id": f"u{u}", "item_id": f"i{i}", "rating": 4 + (u + i) % 2 if u % 2 == i % 2 else 1 + (u + i) // 2 % 2,
             "timestamp": f"2024-01-{1 + (u * 5 + i * 11) % 28:02d}T00:{u:02d}:00Z"}
            for u in range(40) for i in range(20) if (u * 7 + i * 3) % 5 < 3]
    return {"recommendation_data": {"user_data": [{"user_id": f"u{u}", "age": 20 + u} for u in range(41)],
                                    "item_data": [{"item_id": f"i{i}", "category": "even" if i % 2 == 0 else "odd"}
                                                  for i in range(20)],
                                    "interaction_data": rows},
            "recommendation_configuration": {"algorithm_type": "collaborative_filtering"}, **more}


def test_the_documents_of_the_contract_are_served():
    _, good_request = schema_of("request")
    _, good_response = schema_of("response")
    for name in sorted(os.listdir(CONTRACT)):
        with open(os.path.join(CONTRACT, name), encoding="utf-8") as f:
            request = json.load(f)
        good_request(request)
        families = {m["family"] for m in run_json("models")["models"]}
        if request["recommendation_configuration"]["algorithm_type"] not in families:
            result, _ = serve(os.path.join(CONTRACT, name), code=1)
            assert result["error"]["type"] == "ValidationError", result
            continue
        result, events = serve(os.path.join(CONTRACT, name))
        good_response(result)
        results = result["recommendation_results"]
        assert "recommendations" in results and "model_evaluation" in results, name
        users = [u["user_id"] for u in request["recommendation_data"]["user_data"]]
        assert [u["user_id"] for u in results["recommendations"]["user_recommendations"]] == users, results
        assert [e["event"] for e in events[:2]] == ["recommendation_training_started", "model_evaluated"], events
        assert {e["user_id"] for e in events[2:]} == set(users), events


def test_a_result_has_the_fields_of_the_contract():
    _, good_response = schema_of("response")
    request = tastes(training_configuration={"train_test_split": 0.8, "hyperparameter_tuning": True, "tuning_trials": 3},
                     deployment_configuration={"caching_strategy": "memory", "real_time_recommendations": True})
    result, events = serve(request)
    good_response(result)
    results, metadata = result["recommendation_results"], result["metadata"]
    lists = {u["user_id"]: u for u in results["recommendations"]["user_recommendations"]}
    assert len(lists) == 41 and lists["u40"]["recommendation_metadata"]["basis"] == "popular", lists["u40"]
    best = lists["u2"]["recommended_items"][0]
    assert best["category"] == ["even", "odd"][int(best["item_id"][1:]) % 2], best
    assert any(i["reason"].startswith("because") for u in lists.values() for i in u["recommended_items"]), best
    assert results["model_evaluation"]["accuracy_metrics"]["ndcg"] > 0
    assert metadata["tuning"]["n_trials"] == 3 and metadata["data_statistics"]["user_count"] == 41
    assert results["feature_importance"]["interaction_features"][0]["feature"] == "rating"
    assert set(results["deployment_info"]) >= {"inference_latency", "throughput", "cache_hit_rate"}
    evaluated = next(e for e in events if e["event"] == "model_evaluated")
    assert abs(evaluated["ndcg"] - results["model_evaluation"]["accuracy_metrics"]["ndcg"]) < 1e-8, evaluated  # 9 digits
    for pointer in metadata["left_out"]:  # what is said to be left out is not there
        at = result
        for step in pointer.split("/")[1:]:
            at = at.get(step) if isinstance(at, dict) else None
            if at is None:
                break
        assert not at, (pointer, at)


def test_the_runbook_form_with_paths_gives_what_the_inline_form_gives():
    request = tastes(training_configuration={"cross_validation": False})
    inline, _ = serve(request)
    data = request["recommendation_data"]
    write("interactions.csv", "user_id,item_id,rating,timestamp\n" + "".join(
        f"{r['user_id']},{r['item_id']},{r['rating']},{r['timestamp']}\n" for r in data["interaction_data"]))
    write("items.csv", "item_id,category\n" + "".join(f"{i['item_id']},{i['category']}\n" for i in data["item_data"]))
    write("users.ndjson", "".join(json.dumps(u) + "\n" for u in data["user_data"]))
    write("context.json", json.dumps({"reasons": 3}))
    request["recommendation_data"] = {"user_data": "users.ndjson", "item_data": "items.csv",
                                      "interaction_data": "interactions.csv", "context_data": "context.json"}
    by_path, _ = serve(request)
    for part in ["recommendations", "model_evaluation"]:
        assert inline["recommendation_results"][part] == by_path["recommendation_results"][part], part
    assert inline["recommendation_results"]["model_info"]["model_id"] == \
        by_path["recommendation_results"]["model_info"]["model_id"]
    write("events.ndjson", "".join(json.dumps({"userId": r["user_id"], "movie": r["item_id"], "stars": r["rating"],
                                               "date": r["timestamp"]}) + "\n" for r in data["interaction_data"]))
    request["recommendation_data"]["interaction_data"] = "events.ndjson"
    assert serve(request)[0]["recommendation_results"]["recommendations"] == \
        inline["recommendation_results"]["recommendations"]
    request["recommendation_data"]["interaction_data"] = "interactions.csv"
    write("interactions.csv", "user_id,item_id,rating\na,b,5\na,c\n")
    result, _ = serve(request, code=1)
    assert "interactions.csv:3" in result["error"]["message"], result


def test_paths_in_a_request_begin_at_its_folder():
    os.mkdir("shop")
    write("shop/users.csv", "user_id\nu0\n")
    write("shop/items.csv", "item_id\ni9\n")
    write("shop/events.csv", SEVEN)
    write("shop/context.json", '{"users": ["U1"]}')
    request = {"recommendation_data": {"user_data": "users.csv", "item_data": "items.csv", "interaction_data": "events.csv",
                                       "context_data": "context.json"},
               "recommendation_configuration": {"algorithm_type": "collaborative_filtering"}}
    result, _ = serve(write("shop/request.json", json.dumps(request)))
    assert result["metadata"]["data_statistics"]["interaction_count"] == 7, result["metadata"]
    request["recommendation_data"]["item_data"] = os.path.abspath("shop/items.csv")
    again, _ = serve(write("shop/request.json", json.dumps(request)))
    assert again["recommendation_results"]["recommendations"] == result["recommendation_results"]["recommendations"]
    request["recommendation_data"]["item_data"] = "goods.csv"
    result, _ = serve(write("shop/request.json", json.dumps(request)), code=1)
    assert "shop/goods.csv" in result["error"]["message"], result


def test_a_list_names_titles_and_the_chance_of_what_was_drawn():
    _, good_response = schema_of("response")
    request = tastes(training_configuration={"cross_validation": False})
    for item in request["recommendation_data"]["item_data"]:
        item["title"] = f"The {item['item_id']}"
    request["recommendation_data"]["context_data"] = {"users": ["u1"], "pipeline": {"explore": {"slots": 2}}, "filter": "popularity > 0"}
    request["recommendation_configuration"]["recommendation_count"] = 5
    result, _ = serve(request)
    good_response(result)
    items = result["recommendation_results"]["recommendations"]["user_recommendations"][0]["recommended_items"]
    assert [i["title"] for i in items] == [f"The {i['item_id']}" for i in items], items
    assert ["propensity" in i for i in items] == [False] * 3 + [True] * 2 and 0 < items[3]["propensity"] < 1, items
    assert result["metadata"]["context"] == {"filter": "popularity > 0", "pipeline": {"explore": {"slots": 2}}}, result["metadata"]


def stories(**more):
    """Twelve stories of two topics, the last one new; ten readers, and one who is only described."""
    topics = ["night trains", "bread"]
    words = {"night trains": "the train and its sleeping cars", "bread": "the dough and its crust"}
    items = [{"item_id": f"s{i}", "title": f"Story {i}", "content": f"number{i} of {words[topics[i % 2]]}", "tags": [topics[i % 2]]}
             for i in range(12)]
    rows = [{"user_id": f"u{u}", "item_id": f"s{i}", "read_time": 200} for u in range(10) for i in range(11)
            if i % 2 == u % 2 and i % 5 != u % 5]
    return {"recommendation_data": {"user_data": [{"user_id": "ann", "looking_for": "fresh bread"}], "item_data": items,
                                    "interaction_data": rows, "context_data": {"feature_importance": False}},
            "recommendation_configuration": {"algorithm_type": "content_based", "recommendation_count": 4}, **more}


def test_reasons_say_a_word_once():
    result, _ = serve(stories())
    reasons = [i["reason"] for u in result["recommendation_results"]["recommendations"]["user_recommendations"]
               for i in u["recommended_items"]]
    shared = [re.split(", which share | with it|because of ", reason)[1] for reason in reasons if "share" in reason or "because of " in reason]
    assert [s for s in shared if "night trains" in s], reasons
    for words in shared:  # "train" is in "night trains", "bread" is the tag and the word
        words = re.split(", | and ", words)
        assert not [(a, b) for a in words for b in words if a is not b and (" " + b).find(" " + a) >= 0], words


def test_nobody_rated_what_was_only_read():
    request = stories()
    request["recommendation_configuration"]["algorithm_type"] = "collaborative_filtering"
    for u, row in enumerate(request["recommendation_data"]["interaction_data"]):
        row["read_time"] = 20 + 97 * u % 400
    reasons = lambda method: [i["reason"] for u in lists_of(request, method) for i in u["recommended_items"]]
    lists_of = lambda request, method: serve({**request, "recommendation_configuration": {
        **request["recommendation_configuration"], "model_parameters": {"method": method}}})[0][
            "recommendation_results"]["recommendations"]["user_recommendations"]
    assert any(r.startswith("because you liked") for r in reasons("item_knn"))
    assert any(r.startswith("liked by") for r in reasons("popularity"))
    assert not [r for r in reasons("item_knn") + reasons("popularity") if "rated" in r], reasons("item_knn")
    for row in request["recommendation_data"]["interaction_data"]:
        row["rating"] = row.pop("read_time") // 100 + 1
    assert any("rated" in r for r in reasons("popularity")), reasons("popularity")


def test_a_hybrid_with_words_serves_somebody_described():
    request = stories()
    request["recommendation_configuration"].update(algorithm_type="hybrid", model_parameters={
        "parts": ["item-knn", "content"], "options": "content.content_features=content,tags"})
    result, _ = serve(request)
    ann = next(u for u in result["recommendation_results"]["recommendations"]["user_recommendations"] if u["user_id"] == "ann")
    assert ann["recommendation_metadata"]["basis"] == "text" and all(i["category"] == "bread" for i in ann["recommended_items"]), ann
    assert all(i["reason"].startswith("because of bread") for i in ann["recommended_items"]), ann
    coverage = result["recommendation_results"]["model_evaluation"]["diversity_metrics"]["catalog_coverage"]
    assert coverage <= 1, coverage  # s11, which nobody has, is on lists and is no part of the whole
    small()
    run("train", "--data", "small.csv", "--model", "hybrid", "-p", "parts=item-knn,popularity", "--out", "m.kith")
    assert "reads no texts" in run("recommend", "--model-file", "m.kith", "--text", "bread", code=2).stderr


def test_a_list_says_why_not():
    _, good_response = schema_of("response")
    request = stories()
    request["recommendation_data"]["context_data"].update(
        users=["u0"], filter='tags has "night trains"', why_not=["s1", "s0", "s2", "nothing"],
        pipeline={"rules": {"block": ["s4"]}})
    result, _ = serve(request)
    good_response(result)
    meta = result["recommendation_results"]["recommendations"]["user_recommendations"][0]["recommendation_metadata"]
    assert [(v["item"], v["why"]) for v in meta["why_not"]] == \
        [("s1", "filtered"), ("s0", "shown"), ("s2", "seen"), ("nothing", "unknown")], meta
    assert meta["why_not"][0]["title"] == "Story 1" and "tags is bread" in meta["why_not"][0]["sentence"], meta
    request["recommendation_data"]["context_data"]["filter"] = 'tags has "cheese"'
    result, _ = serve(request)
    meta = result["recommendation_results"]["recommendations"]["user_recommendations"][0]["recommendation_metadata"]
    assert meta["count"] == 0 and "without `tags has" in meta["note"], meta


def test_friends_are_counted_in_the_way_that_is_named():
    people = [{"user_id": p, "item_id": p} for p in "abcdef"]
    rows = [{"user_id": x, "item_id": y} for pair in ["ab", "ac", "bd", "cd", "de", "ef"] for x, y in [pair, pair[::-1]]]
    request = {"recommendation_data": {"user_data": [{"user_id": p["user_id"]} for p in people],
                                       "item_data": [{"item_id": p["item_id"]} for p in people], "interaction_data": rows},
               "recommendation_configuration": {"algorithm_type": "graph_based", "model_parameters": {"method": ""}}}
    for name, method, score in [("common_neighbors", "common-neighbors", 2), ("AdamicAdar", "adamic-adar", 2 / math.log(2)),
                                ("personalized_pagerank", "pagerank", None)]:
        request["recommendation_configuration"]["model_parameters"]["method"] = name
        result, _ = serve(request)
        assert result["recommendation_results"]["model_info"]["training_parameters"]["method"] == method, name
        best = result["recommendation_results"]["recommendations"]["user_recommendations"][0]["recommended_items"][0]
        assert best["item_id"] == "d" and best["reason"] in ("because you know b and c", "because you know c and b"), best
        assert score is None or abs(best["score"] - score) < 1e-6, best  # nine digits are written


def test_people_get_tables_of_a_run():
    request = tastes()
    request["recommendation_data"]["context_data"] = {"filter": 'category = "even"', "users": ["u2", "u40"]}
    path = write("request.json", json.dumps(request))
    done = run("run", path, "--tables", "--out", "result.json")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("collaborative_filtering by ials") and 'only where category = "even"' in lines, done.stdout
    with open("result.json", encoding="utf-8") as f:
        result = json.load(f)
    best = result["recommendation_results"]["recommendations"]["user_recommendations"][0]["recommended_items"][0]
    first = lines[lines.index("for u2") + 2]
    assert first.split()[:2] == ["1", best["item_id"]] and first.endswith(best["reason"]), first
    assert "note: user \"u40\" has nothing in the training data; these are popular items" in lines, done.stdout
    assert [line for line in lines if line.startswith("ndcg@10") and "±" in line], done.stdout
    assert '"event"' not in done.stderr and "ms a list" in done.stderr, done.stderr
    assert json.loads(run("run", path, "--json", "-q").stdout)["metadata"]["version"]
    done = run("run", write("bad.json", '{"recommendation_data": {}}'), "--tables", code=1)
    assert not done.stdout and "  /recommendation_data/user_data: is missing" in done.stderr, done.stderr
    run("run", path, "--json", "--tables", code=2)


def test_a_refused_request_says_all_that_is_wrong():
    request = tastes()
    request["recommendation_configuration"] = {"algorithm_type": "magic", "recommendation_count": 0}
    request["recommendation_data"]["interaction_data"][3] = {"user_id": "a"}
    result, _ = serve(request, code=1)
    assert [v["pointer"] for v in result["error"]["violations"]] == [
        "/recommendation_configuration/algorithm_type", "/recommendation_configuration/recommendation_count",
        "/recommendation_data/interaction_data/3/item_id"], result
    done = subprocess.run([KITH, "run", "-"], input="{\n oops", capture_output=True, text=True)
    assert done.returncode == 1 and "line 2" in json.loads(done.stdout)["error"]["message"], done
    assert "line 2" in done.stderr
    assert run("run", "absent.json", code=1).stderr.startswith("kith: absent.json: No such file")
    run("schema", "nothing", code=2)


def test_unknown_fields_and_parameters_are_warned_of():
    request = tastes(training_configuration={"cross_validation": False, "epochs": 3}, more=1)
    request["recommendation_configuration"]["model_parameters"] = {"method": "als", "factors": 8, "magic": 1}
    request["recommendation_data"]["interaction_data"][0]["mood"] = "good"
    result, _ = serve(request)
    warnings = " ".join(result["metadata"]["warnings"])
    for word in ["/more", "/training_configuration/epochs", "magic", "mood"]:
        assert word in warnings, (word, warnings)
    assert result["metadata"]["method"]["resolved_method"] == "ials"
    assert result["recommendation_results"]["model_info"]["training_parameters"]["n_factors"] == 8


def test_tune_finds_parameters_that_train_takes():
    small()
    got = run_json("tune", "--data", "small.csv", "--model", "funk-svd", "--metric", "rmse", "--trials", "4", "--budget",
                   "30s", "-p", "n_factors=4")
    assert got["n_trials"] == 4 and got["best"]["value"] <= got["default"]["value"], got
    words = run("tune", "--data", "small.csv", "--model", "funk-svd", "--metric", "rmse", "--trials", "3", "-p",
                "n_factors=4").stdout.splitlines()[-1].split()
    run("train", "--data", "small.csv", *words, "--out", "m.kith")
    run("tune", "--data", "small.csv", "--model", "funk-svd", "--budget", "soon", code=2)


sys.exit(run_cases(globals(), wanted=sys.argv[2:]))
