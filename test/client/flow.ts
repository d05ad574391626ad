// A shop's life with kith, through a client that was generated from /v1/openapi.json: `node out/flow.js URL KEY`.
// kith.d.ts is made by openapi-typescript; this file is checked against it as strictly as TypeScript can, so a reply or
// body that the document leaves open shows here as a type that nothing can be read from.
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import { Held, type Document } from "./held.js";
import type { components, paths } from "./kith.js";

const [url, key] = process.argv.slice(2) as [string, string];
const held = new Held(JSON.parse(readFileSync("kith.json", "utf8")) as Document);

function clientOf(secret: string) {
  const client = createClient<paths>({ baseUrl: url, headers: secret === "" ? {} : { Authorization: `Bearer ${secret}` } });
  client.use(held.middleware());
  return client;
}
const api = clientOf(key);

type Problem = components["schemas"]["Problem"];
type Answer<T> = { data?: T; error?: unknown; response: Response };

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
async function value<T>(call: Promise<Answer<T>>, status = 200): Promise<NonNullable<T>> {
  const { data, error, response } = await call;
  check(response.status === status, `${response.url}: ${response.status}, want ${status}: ${JSON.stringify(error ?? data)}`);
  check(data !== undefined && data !== null, `${response.url}: no data`);
  return data;
}
async function empty(call: Promise<Answer<unknown>>): Promise<void> {
  const { error, response } = await call;
  check(response.status === 204, `${response.url}: ${response.status}, want 204: ${JSON.stringify(error)}`);
}
async function problem(call: Promise<{ error?: Problem; response: Response }>, status: number, name: string): Promise<Problem> {
  const { error, response } = await call;
  check(response.status === status && error !== undefined, `${response.url}: ${response.status}, want ${status}`);
  check(error.error === name && error.status === status, `${response.url}: ${error.error}, want ${name}`);
  return error;
}
const ids = (list: components["schemas"]["RecommendedList"]) => list.items.map(i => i.item_id);
const lines = (rows: object[]) => rows.map(r => JSON.stringify(r) + "\n").join("");
const ndjson = { bodySerializer: (text?: string) => text ?? "", headers: { "Content-Type": "application/x-ndjson" } };

// ---- a catalogue of two tastes, and people who have them

const genres = ["Drama", "Comedy"] as const;
const itemOf = (n: number) => `item-${n}`;
const eventsOf = (u: number) => Array.from({ length: 20 }, (_, i) => i)
  .filter(i => i % 2 === u % 2 && (u * 7 + i * 3) % 5 < 4)
  .map(i => ({ user_id: `user-${u}`, item_id: itemOf(i), event: "rating", value: 3 + ((u + i) % 3) }));

const steps: Record<string, () => Promise<void>> = {
  async "health, version and what there is"() {
    const open = clientOf("");
    check((await value(open.GET("/v1/health/live"))).status === "ok", "live");
    check((await value(open.GET("/v1/health/ready"))).status === "ok", "ready");
    check((await value(open.GET("/v1/version"))).api === "v1", "version");
    check((await value(open.GET("/v1/openapi.json")))["openapi"] === "3.1.0", "openapi");
    const status = await value(api.GET("/v1/status"));
    check(status.users === 0 && status.items === 0 && status.model === "", "an empty store");
    await problem(open.GET("/v1/status"), 401, "UnauthorizedError");
    const me = await value(api.GET("/v1/whoami"));
    check(me.role === "admin" && me.key_id !== "", "whoami");
  },

  async "items and users, one at a time and as lines"() {
    const put = (n: number) => api.PUT("/v1/items/{item_id}", {
      params: { path: { item_id: itemOf(n) } },
      body: { attributes: { title: `Film ${n}`, year: 1980 + n, genres: [genres[n % 2] ?? "Drama"], seen_in: [1.5, 2] } },
    });
    check((await value(put(0), 201)).is_new, "a new item");
    check(!(await value(put(0))).is_new, "the same item again");
    const rest = Array.from({ length: 19 }, (_, n) => ({ item_id: itemOf(n + 1), attributes: { title: `Film ${n + 1}`, year: 1981 + n, genres: [genres[(n + 1) % 2]] } }));
    const taken = await value(api.POST("/v1/items/import", { body: lines(rest) + "{\"item\": 1}\n", ...ndjson }));
    check(taken.taken === 19 && taken.refused === 1 && taken.errors[0]?.line === 20, "19 of 20 lines");
    const user = await value(api.PUT("/v1/users/{user_id}", { params: { path: { user_id: "user-0" } }, body: { attributes: { age: 34 } } }), 201);
    check(user.is_new, "a new user");
    check((await value(api.POST("/v1/users/import", { body: lines([{ user_id: "user-1", attributes: { age: 20, nice: true } }]), ...ndjson }))).taken === 1, "user lines");
    const item = await value(api.GET("/v1/items/{item_id}", { params: { path: { item_id: itemOf(0) } } }));
    check(item.attributes?.["year"] === 1980 && !item.hidden, "the item as it was sent");
    const first = await value(api.GET("/v1/items", { params: { query: { limit: 15 } } }));
    check(first.rows.length === 15 && first.next !== null, "a page of items");
    const second = await value(api.GET("/v1/items", { params: { query: { limit: 15, after: first.next } } }));
    check(second.rows.length === 5 && second.next === null, "the page after it");
    check((await value(api.GET("/v1/users"))).rows.map(r => r.id).join() === "user-0,user-1", "users");
    await empty(api.POST("/v1/items/{item_id}/hide", { params: { path: { item_id: itemOf(19) } }, body: { hidden: true } }));
    check((await value(api.GET("/v1/items/{item_id}", { params: { path: { item_id: itemOf(19) } } }))).hidden, "hidden");
    const wrong = await problem(api.PUT("/v1/items/{item_id}", { params: { path: { item_id: "x" } }, body: { attributes: { title: null, year: "late" } } }), 422, "ValidationError");
    check((wrong.detail ?? "").includes("year"), `what is wrong: ${wrong.detail}`);
  },

  async "events: one, many, lines, taken back"() {
    const one = { user_id: "user-0", item_id: itemOf(0), event: "rating", value: 5, id: "e1" };
    check(!(await value(api.POST("/v1/events", { body: one }), 201)).repeated, "an event");
    check((await value(api.POST("/v1/events", { body: one }))).repeated, "the same again");
    const many = await value(api.POST("/v1/events/bulk", { body: { events: eventsOf(0) } }), 201);
    check(many.taken === eventsOf(0).length, "many");
    const all = Array.from({ length: 59 }, (_, u) => eventsOf(u + 1)).flat();
    check((await value(api.POST("/v1/events/import", { body: lines(all), ...ndjson }))).taken === all.length, "lines");
    const path = { user_id: "user-0" };
    const rows = await value(api.GET("/v1/users/{user_id}/events", { params: { path, query: { event: "rating", limit: 3 } } }));
    check(rows.rows.length === 3 && rows.rows.every(r => r.kind === "rating" && r.user === "user-0"), "events of a user");
    check((await value(api.GET("/v1/items/{item_id}/events", { params: { path: { item_id: itemOf(2) } } }))).rows.length > 5, "events of an item");
    const dropped = await value(api.DELETE("/v1/users/{user_id}/events/{item_id}", { params: { path: { ...path, item_id: itemOf(0) }, query: { event: "rating" } } }));
    check(dropped.dropped === 2, "taken back");
    await value(api.POST("/v1/events", { body: { ...one, id: "e2", rec_id: "nothing-of-ours" } }), 201);
    const near = await problem(api.POST("/v1/events", { body: { ...one, event: "purchas" } }), 422, "ValidationError");
    check((near.detail ?? "").includes("purchase"), `a hint: ${near.detail}`);
    const both = await problem(api.POST("/v1/events/bulk", { body: { events: [{ ...one, value: 1 }, { ...one, event: "" }] } }), 422, "ValidationError");
    check(both.violations?.[0]?.pointer === "/events/1/event", "the place of a violation");
  },

  async "what is spelt wrong is told what it may have been"() {
    const field = await problem(api.POST("/v1/recommend", { body: JSON.parse("{\"user_id\": \"user-0\", \"resons\": 2}") as object }), 422, "ValidationError");
    check(field.violations?.[0]?.message.includes("did you mean \"reasons\"") === true, `a field: ${field.violations?.[0]?.message}`);
  },

  async "train a model and follow its task"() {
    const queued = await value(api.POST("/v1/models", { body: { algorithm: "ials-text", params: { n_factors: 8 }, promote: "always" } }), 202);
    const path = { task_id: queued.task_id };
    const story = await value(api.GET("/v1/tasks/{task_id}/events", { params: { path }, parseAs: "text" }));
    const told = story.split("\n").filter(l => l.startsWith("data: ")).map(l => JSON.parse(l.slice(6)) as components["schemas"]["Task"]);
    check(told.at(-1)?.state === "done", `the stream ends with the task: ${story.slice(-300)}`);
    const task = await value(api.GET("/v1/tasks/{task_id}", { params: { path } }));
    check(task.kind === "train" && task.finished_at !== undefined && typeof task.result?.["version"] === "string", "the task");
    await problem(api.POST("/v1/tasks/{task_id}/cancel", { params: { path } }), 409, "ConflictError");
    const models = await value(api.GET("/v1/models"));
    check(models.in_force === task.result["version"] && models.models[0]?.state === "promoted", "in force");
    check(models.models[0].figures.metric === "ndcg@10", "with figures");
    const second = await value(api.POST("/v1/models", { body: { algorithm: "item-knn", promote: "never" } }), 202);
    await value(api.GET("/v1/tasks/{task_id}/events", { params: { path: { task_id: second.task_id } }, parseAs: "text" }));
    const unknown = await problem(api.POST("/v1/models", { body: { algorithm: "item-kn" } }), 422, "ValidationError");
    check((unknown.detail ?? "").includes("item-knn"), `a hint: ${unknown.detail}`);
    const param = await problem(api.POST("/v1/models", { body: { algorithm: "ials", params: { n_factor: 8 } } }), 422, "ValidationError");
    check((param.detail ?? "").includes("n_factors"), `a hint: ${param.detail}`);
  },

  async "evaluate, tune, and stop a task"() {
    const looked = await value(api.POST("/v1/models/evaluate", { body: { algorithm: "popularity" } }), 202);
    await value(api.GET("/v1/tasks/{task_id}/events", { params: { path: { task_id: looked.task_id } }, parseAs: "text" }));
    check((await value(api.GET("/v1/tasks/{task_id}", { params: { path: { task_id: looked.task_id } } }))).result?.["algorithm"] === "popularity", "evaluated");
    const tuned = await value(api.POST("/v1/models/tune", { body: { algorithm: "item-knn", seconds: 60, trials: 1000 } }), 202);
    await empty(api.POST("/v1/tasks/{task_id}/cancel", { params: { path: { task_id: tuned.task_id } } }));
    await value(api.GET("/v1/tasks/{task_id}/events", { params: { path: { task_id: tuned.task_id } }, parseAs: "text" }));
    const tasks = await value(api.GET("/v1/tasks"));
    check(tasks.tasks[0]?.state === "canceled" && tasks.tasks.length === 4, "canceled");
    await problem(api.GET("/v1/tasks/{task_id}", { params: { path: { task_id: "none" } } }), 404, "NotFoundError");
  },

  async "recommend: for a user, a visit, a taste, a text"() {
    const list = await value(api.POST("/v1/recommend", { body: { user_id: "user-0", n: 3, reasons: 2 } }));
    check(list.basis === "user" && list.items.length === 3 && list.model !== "", "for a user");
    const best = list.items[0];
    check(best !== undefined && best.reason !== undefined && (best.reasons ?? []).length > 0 && best.title?.startsWith("Film") === true, "reasons");
    const again = await value(api.GET("/v1/recommend/{user_id}", { params: { path: { user_id: "user-0" }, query: { n: 3, reasons: 2 } } }));
    check(ids(again).join() === ids(list).join(), "the short call lists the same");
    const seen = new Set(ids(list));
    const others = await value(api.POST("/v1/recommend", { body: { user_id: "user-0", n: 3, exclude: [...seen] } }));
    check(others.items.length > 0 && ids(others).every(i => !seen.has(i)), "exclude");
    const drama = await value(api.POST("/v1/recommend", { body: { user_id: "user-1", n: 20, include_seen: true, filter: "genres has \"Drama\" and year >= $from", context: { from: 1990 } } }));
    check(drama.items.length > 0 && (drama.report?.filter?.clauses ?? []).length === 2, "a filter, and what each clause took");
    check((await value(api.POST("/v1/recommend", { body: { liked: [itemOf(1), itemOf(3)], liked_values: [5, 4] } }))).basis === "liked", "liked");
    check((await value(api.POST("/v1/recommend", { body: { user_id: "user-0", session: [itemOf(1)] } }))).items.length > 0, "a visit");
    check((await value(api.POST("/v1/recommend", { body: { text: "comedy film" } }))).basis === "text", "a text");
    check((await value(api.POST("/v1/recommend", { body: { user_id: "nobody" } }))).basis === "popular", "an unknown user");
    await problem(api.POST("/v1/recommend", { body: { user_id: "nobody", on_unknown: "error" } }), 404, "NotFoundError");
    const varied = await value(api.POST("/v1/recommend", { body: { user_id: "user-2", pipeline: { diversity: { method: "mmr", trade_off: 0.5 } } } }));
    check(varied.items.length > 0, "a pipeline");
    const wrong = await problem(api.POST("/v1/recommend", { body: { user_id: "user-0", filter: "yeer > 3" } }), 422, "ValidationError");
    check((wrong.detail ?? "").includes("year"), `a hint: ${wrong.detail}`);
    check((await value(api.POST("/recommend", { body: { user_id: "user-0", num_recommendations: 2 } }))).items.length === 2, "the short call");
    check((await value(api.POST("/predict", { body: { user_id: "user-0", item_id: itemOf(2) } }))).prediction > 0, "predict, the short call");
  },

  async "pages under a rec_id, and an event that answers"() {
    const list = await value(api.POST("/v1/recommend", { body: { user_id: "user-3", n: 2, log: true } }));
    check(list.rec_id !== undefined, "a rec_id");
    const path = { rec_id: list.rec_id };
    const second = await value(api.GET("/v1/lists/{rec_id}", { params: { path, query: { page: 2 } } }));
    check(second.page === 2 && second.items.length === 2 && ids(second).every(i => !ids(list).includes(i)), "the second page");
    check(ids(await value(api.GET("/v1/lists/{rec_id}", { params: { path, query: { page: 1 } } }))).join() === ids(list).join(), "the first again");
    const chosen = list.items[0];
    check(chosen !== undefined, "an item");
    await value(api.POST("/v1/events", { body: { user_id: "user-3", item_id: chosen.item_id, event: "click", rec_id: list.rec_id } }), 201);
    check(!ids(await value(api.POST("/v1/recommend", { body: { user_id: "user-3", n: 20 } }))).includes(chosen.item_id), "in force at once");
    await problem(api.GET("/v1/lists/{rec_id}", { params: { path: { rec_id: "none" } } }), 404, "NotFoundError");
  },

  async "alike, charts, search, predictions"() {
    const item = { item_id: itemOf(2) }, user = { user_id: "user-2" };
    const alike = await value(api.GET("/v1/items/{item_id}/similar", { params: { path: item, query: { n: 4, exclude: [itemOf(4), itemOf(6)] } } }));
    check(alike.basis === "item" && alike.items.length === 4 && !ids(alike).includes(itemOf(4)), "similar items");
    check((await value(api.GET("/v1/users/{user_id}/similar", { params: { path: user, query: { n: 3 } } }))).users.length === 3, "similar users");
    const predicted = await value(api.GET("/v1/predict/{user_id}/{item_id}", { params: { path: { ...user, ...item } } }));
    check(!predicted.unknown_user && !predicted.unknown_item && Number.isFinite(predicted.value), "a prediction");
    for (const chart of ["/v1/popular", "/v1/trending", "/v1/latest"] as const) {
      const list = await value(api.GET(chart, { params: { query: { n: 5, user_id: "user-2" } } }));
      check(list.items.length > 0 && `/v1/${list.basis}` === chart, chart);
    }
    check((await value(api.GET("/v1/search", { params: { query: { q: "Film 7" } } }))).items[0]?.item_id === itemOf(7), "search");
    const why = await value(api.GET("/v1/explain/{user_id}/{item_id}", { params: { path: { ...user, item_id: itemOf(4) }, query: { reasons: 2 } } }));
    check(why.items.length === 1 && why.items[0]?.reason !== undefined && why.report === undefined, "explain");
    const not = await value(api.POST("/v1/why-not", { body: { user_id: "user-2", item_id: itemOf(19) } }));
    check(not.why === "hidden" && not.sentence !== "", "why not");
    const filtered = await value(api.POST("/v1/why-not", { body: { user_id: "user-2", item_id: itemOf(5), filter: "year < 1900" } }));
    check(filtered.why === "filtered" && filtered.clauses === 1, "why not: a filter");
    await problem(api.GET("/v1/items/{item_id}/similar", { params: { path: { item_id: "none" } } }), 404, "NotFoundError");
  },

  async "scenarios: saved, used, tried without saving, dropped"() {
    const path = { name: "comedies" }, scenario = { about: "comedies alone", filter: "genres has \"Comedy\"", n: 4 };
    const kept = await value(api.PUT("/v1/scenarios/{name}", { params: { path }, body: scenario }), 201);
    const changed = await value(api.PUT("/v1/scenarios/{name}", { params: { path }, body: { ...scenario, n: 5 } }));
    check(changed.version > kept.version, "a new version");
    check((await value(api.GET("/v1/scenarios/{name}", { params: { path } }))).n === 5, "as it was saved");
    check((await value(api.GET("/v1/scenarios"))).rows[0]?.document.filter === scenario.filter, "all of them");
    const list = await value(api.POST("/v1/recommend", { body: { user_id: "user-0", scenario: "comedies", include_seen: true } }));
    check(list.scenario === "comedies" && list.items.length === 5 && ids(list).every(i => Number(i.slice(5)) % 2 === 1), "used");
    const dry = await value(api.POST("/v1/scenarios/dry-run", { body: { scenario: { n: 2, filter: "year > 1985" }, user_id: "user-0" } }));
    check(dry.items.length === 2, "a dry run");
    await problem(api.PUT("/v1/scenarios/{name}", { params: { path: { name: "bad" } }, body: { filter: "yaer > 1" } }), 422, "ValidationError");
    const near = await problem(api.POST("/v1/recommend", { body: { user_id: "user-0", scenario: "comedie" } }), 404, "NotFoundError");
    check((near.detail ?? "").includes("comedies"), `a hint: ${near.detail}`);
    await value(api.PUT("/v1/scenarios/{name}", { params: { path: { name: "spare" } }, body: {} }), 201);
    await empty(api.DELETE("/v1/scenarios/{name}", { params: { path: { name: "spare" } } }));
    await problem(api.DELETE("/v1/scenarios/{name}", { params: { path: { name: "spare" } } }), 404, "NotFoundError");
  },

  async "an experiment from draft to report"() {
    const path = { name: "comedies first" };
    const draft: components["schemas"]["ExperimentDraft"] = {
      variants: [{ name: "as before", share: 1 }, { name: "comedies", share: 1, scenario: "comedies" }],
      outcome: { events: ["click"], of: "conversion", window_days: 0.001, attributed: false },
      confidence: 0.95,
    };
    await problem(api.PUT("/v1/experiments/{name}", { params: { path }, body: { ...draft, variants: [{ name: "a", share: 1 }, { name: "b", share: 1, scenario: "none" }] } }), 422, "ValidationError");
    check((await value(api.PUT("/v1/experiments/{name}", { params: { path }, body: draft }), 201)).state === "draft", "a draft");
    check((await value(api.PUT("/v1/experiments/{name}", { params: { path }, body: draft }))).variants.length === 2, "the same again");
    const started = await value(api.POST("/v1/experiments/{name}/start", { params: { path } }));
    check(started.state === "running" && started.started_ms !== undefined, "started");
    await problem(api.PUT("/v1/experiments/{name}", { params: { path }, body: draft }), 409, "ConflictError");
    await problem(api.DELETE("/v1/experiments/{name}", { params: { path } }), 409, "ConflictError");
    for (let u = 0; u < 30; u++) {
      const assigned = await value(api.GET("/v1/assignment", { params: { query: { user_id: `user-${u}` } } }));
      const list = await value(api.POST("/v1/recommend", { body: { user_id: `user-${u}`, n: 3 } }));
      check(list.experiment === path.name && list.variant === assigned.variant && list.share === assigned.share, "the list says so");
      const first = list.items[0];
      if (u % 3 === 0 && first !== undefined) await value(api.POST("/v1/events", { body: { user_id: `user-${u}`, item_id: first.item_id, event: "click", ...(list.rec_id === undefined ? {} : { rec_id: list.rec_id }) } }), 201);
    }
    let report = await value(api.GET("/v1/experiments/{name}/report", { params: { path } }));
    for (let waited = 0; report.variants.reduce((sum, v) => sum + v.lists, 0) < 30 && waited < 50; waited++) { // the journal is written behind the replies
      await new Promise(done => setTimeout(done, 100));
      report = await value(api.GET("/v1/experiments/{name}/report", { params: { path } }));
    }
    check(report.variants.reduce((sum, v) => sum + v.users, 0) === 30 && report.crossed === 0, `30 users: ${JSON.stringify(report)}`);
    check(report.variants[1]?.against_control !== undefined && !report.sample_ratio.broken, "against the control");
    check((await value(api.POST("/v1/experiments/{name}/stop", { params: { path } }))).state === "stopped", "stopped");
    await problem(api.POST("/v1/experiments/{name}/start", { params: { path } }), 409, "ConflictError");
    check((await value(api.GET("/v1/experiments/{name}", { params: { path } }))).state === "stopped", "told");
    check((await value(api.GET("/v1/experiments"))).rows[0]?.document.state === "stopped", "all of them");
    await empty(api.DELETE("/v1/experiments/{name}", { params: { path } }));
    await empty(api.DELETE("/v1/scenarios/{name}", { params: { path: { name: "comedies" } } }));
  },

  async "versions: promoted, rolled back, asked in the shadow"() {
    const before = await value(api.GET("/v1/models")), candidate = before.models.find(m => m.state === "candidate");
    check(candidate !== undefined, "a candidate");
    const path = { version: candidate.version };
    check((await value(api.GET("/v1/models/{version}", { params: { path } }))).algorithm === "item-knn", "a version");
    check((await value(api.PUT("/v1/shadow/{version}", { params: { path } }))).version === path.version, "in the shadow");
    check((await value(api.GET("/v1/shadow"))).version === path.version, "told");
    await empty(api.DELETE("/v1/shadow"));
    check((await value(api.POST("/v1/models/{version}/promote", { params: { path } }))).state === "promoted", "promoted");
    check((await value(api.GET("/v1/status"))).algorithm === "item-knn", "in force");
    check((await value(api.POST("/v1/models/rollback"))).version === before.in_force, "rolled back");
    await problem(api.GET("/v1/models/{version}", { params: { path: { version: "none" } } }), 404, "NotFoundError");
  },

  async "what events mean"() {
    const settings = await value(api.GET("/v1/settings/events"));
    check(settings.preference === "ratings" && settings.signals["purchases"] !== undefined, `settings: ${JSON.stringify(settings).slice(0, 200)}`);
    const changed = await value(api.PUT("/v1/settings/events", { body: { preference: "ratings", signals: { waves: 2 } } }));
    check(changed.signals["waves"]?.weight === 2, "changed");
  },

  async "what no list may hold"() {
    const user = { params: { path: { user_id: "user-5" } } };
    const first = (await value(api.GET("/v1/recommend/{user_id}", user))).items[0]?.item_id ?? "";
    const kept = await value(api.PUT("/v1/settings/block", { body: { entries: ["id: " + first] } }));
    check(kept.items === 1 && kept.entries[0]?.entry === "id: " + first, `kept: ${JSON.stringify(kept)}`);
    check((await value(api.GET("/v1/settings/block"))).entries.length === 1, "told");
    check((await value(api.GET("/v1/recommend/{user_id}", user))).items.every(i => i.item_id !== first), "blocked");
    check((await value(api.PUT("/v1/settings/block", { body: { entries: [] } }))).entries.length === 0, "nothing is blocked");
  },

  async "keys: made, used with their role, revoked"() {
    const made = await value(api.POST("/v1/keys", { body: { role: "public", label: "front", user: "user-5", rate: 50 } }), 201);
    check(made.key !== undefined && made.user === "user-5", "a key");
    const front = clientOf(made.key);
    check((await value(front.GET("/v1/whoami"))).user === "user-5", "whose it is");
    check((await value(front.GET("/v1/recommend/{user_id}", { params: { path: { user_id: "user-5" } } }))).items.length > 0, "its own list");
    await problem(front.GET("/v1/recommend/{user_id}", { params: { path: { user_id: "user-6" } } }), 403, "ForbiddenError");
    await problem(front.GET("/v1/items"), 403, "ForbiddenError");
    const slow = clientOf((await value(api.POST("/v1/keys", { body: { role: "read", rate: 0.1, burst: 1 } }), 201)).key ?? "");
    await value(slow.GET("/v1/status"));
    await problem(slow.GET("/v1/status"), 429, "RateLimitedError");
    check((await value(api.GET("/v1/keys"))).keys.length === 3, "three keys");
    await empty(api.DELETE("/v1/keys/{key_id}", { params: { path: { key_id: made.id } } }));
    await problem(front.GET("/v1/whoami"), 401, "UnauthorizedError");
    await problem(api.DELETE("/v1/keys/{key_id}", { params: { path: { key_id: (await value(api.GET("/v1/whoami"))).key_id } } }), 409, "ConflictError");
    const audit = await value(api.GET("/v1/audit", { params: { query: { n: 1000 } } }));
    check(audit.rows.some(r => r.route === "revoke_key" && r.status === 204), "the audit journal");
  },

  async "a user out and gone; everything out and in"() {
    const path = { user_id: "user-3" };
    const profile = await value(api.GET("/v1/users/{user_id}", { params: { path } }));
    check(profile.history.length > 5 && profile.history[0]?.title !== undefined, "a user with a history");
    const known = await value(api.GET("/v1/users/{user_id}/export", { params: { path } }));
    check(known.events.length > 5 && known.journal.length > 0, "all that is kept about a user");
    await empty(api.DELETE("/v1/users/{user_id}", { params: { path } }));
    await problem(api.GET("/v1/users/{user_id}", { params: { path } }), 404, "NotFoundError");
    const whole = await value(api.GET("/v1/export", { parseAs: "text" }));
    check(whole.trimEnd().split("\n").every(l => Object.keys(JSON.parse(l) as object).length === 1), "everything, line by line");
    check(!whole.includes("\"user-3\""), "without the user");
    const before = await value(api.GET("/v1/status"));
    const back = await value(api.POST("/v1/import", { body: lines([{ user: { user_id: "back", attributes: { age: 1 } } }, { event: { user_id: "back", item_id: itemOf(1), event: "rating", value: 4 } }]), ...ndjson }));
    check(back.taken === 2 && (await value(api.GET("/v1/status"))).users === before.users + 1, "in again");
    await empty(api.DELETE("/v1/items/{item_id}", { params: { path: { item_id: itemOf(19) } } }));
    await problem(api.GET("/v1/items/{item_id}", { params: { path: { item_id: itemOf(19) } } }), 404, "NotFoundError");
  },

  async "the tool contract, metrics, and what is inside"() {
    const rows = eventsOf(0).concat(eventsOf(1), eventsOf(2)).map(({ user_id, item_id, value: rating }) => ({ user_id, item_id, rating }));
    const result = await value(api.POST("/v1/run", { body: { recommendation_data: { user_data: [], item_data: [], interaction_data: rows }, recommendation_configuration: { algorithm_type: "collaborative_filtering" } } }));
    check(result["recommendation_results"] !== undefined, "a result");
    check((await value(api.GET("/v1/schema/{which}", { params: { path: { which: "response" } } })))["$schema"] !== undefined, "its schema");
    const metrics = await value(api.GET("/v1/metrics", { parseAs: "text" }));
    check(metrics.includes("kith_http_requests_total{"), "metrics");
    check((await value(api.GET("/v1/debug")))["version"] !== undefined, "debug");
  },
};

let passed = 0, failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    check(held.wrong.length === 0, `replies are not what the document says:\n  ${held.wrong.splice(0).join("\n  ")}`);
    passed++;
    console.log(`ok      ${name}`);
  } catch (e) {
    failed++;
    console.log(`FAILED  ${name}: ${e instanceof Error ? e.message : String(e)}`);
  }
}
const missed = held.operations().filter(o => !held.called.has(o));
if (missed.length === 0) passed++;
else failed++;
console.log(missed.length === 0 ? `ok      all ${held.called.size} operations were called` : `FAILED  never called: ${missed.join(", ")}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
