// Every reply of a client held against the document that the client was made from: its status, its type, its body and
// headers.  What the document does not say is a failure, whatever the caller thinks of the reply.
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Middleware } from "openapi-fetch";

interface Ref { $ref?: string }
interface Reply extends Ref { content?: Record<string, object>; headers?: Record<string, Ref> }
interface Operation { operationId: string; responses: Record<string, Reply> }
export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

const schemas = "#/components/schemas/";
const escaped = (s: string) => s.replace(/~/g, "~0").replace(/\//g, "~1");

export class Held {
  readonly called = new Map<string, Set<number>>(); // operationId -> statuses that were seen
  readonly wrong: string[] = [];
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor(private readonly document: Document) {
    for (const [name, schema] of Object.entries(document.components.schemas)) this.ajv.addSchema(this.named(schema), name);
  }

  operations(): string[] {
    return Object.values(this.document.paths).flatMap(item => Object.values(item).map(o => o.operationId));
  }

  // The checker knows components by their names alone.
  private named(schema: object): object {
    return JSON.parse(JSON.stringify(schema), (k, v: unknown) => k === "$ref" ? String(v).replace(schemas, "") : v) as object;
  }

  private at(pointer: string): unknown {
    let at: unknown = this.document;
    for (const step of pointer.split("/").slice(1)) at = (at as Record<string, unknown>)[step.replace(/~1/g, "/").replace(/~0/g, "~")];
    return at;
  }

  // The pointer of what stands there, or of what it refers to.
  private follow(pointer: string): string {
    const ref = (this.at(pointer) as Ref).$ref;
    return ref === undefined ? pointer : this.follow(ref.slice(1));
  }

  private check(pointer: string, value: unknown, what: string): void {
    let validate = this.compiled.get(pointer);
    if (validate === undefined) {
      validate = this.ajv.compile(this.named(this.at(pointer) as object));
      this.compiled.set(pointer, validate);
    }
    if (!validate(value)) this.wrong.push(`${what}: ${this.ajv.errorsText(validate.errors)}: ${JSON.stringify(value).slice(0, 300)}`);
  }

  private checkHeaders(pointer: string, reply: Reply, response: Response, what: string): void {
    for (const name of Object.keys(reply.headers ?? {})) {
      const value = response.headers.get(name), at = this.follow(`${pointer}/headers/${name}`);
      if (value === null) this.wrong.push(`${what}: no header ${name}`);
      else this.check(`${at}/schema`, name === "Retry-After" ? Number(value) : value, `${what}: header ${name}`);
    }
  }

  async look(path: string, method: string, response: Response): Promise<void> {
    const operation = this.document.paths[path]?.[method];
    const what = `${operation?.operationId ?? path} ${response.status}`;
    if (operation === undefined) return void this.wrong.push(`${method} ${path} is not in the document`);
    this.called.set(operation.operationId, (this.called.get(operation.operationId) ?? new Set()).add(response.status));
    if (operation.responses[response.status] === undefined) return void this.wrong.push(`${what}: the document has no such status`);
    const pointer = this.follow(`/paths/${escaped(path)}/${method}/responses/${response.status}`);
    const reply = this.at(pointer) as Reply, { content } = reply, kind = (response.headers.get("Content-Type") ?? "").split(";")[0] ?? "";
    this.checkHeaders(pointer, reply, response, what);
    if (content === undefined) {
      if ((await response.clone().text()) !== "") this.wrong.push(`${what}: a body that the document does not have`);
    } else if (content[kind] === undefined) {
      this.wrong.push(`${what}: ${kind}, the document has ${Object.keys(content).join(", ")}`);
    } else if (kind.endsWith("json") && !kind.endsWith("ndjson")) {
      this.check(`${pointer}/content/${escaped(kind)}/schema`, await response.clone().json(), what);
    }
  }

  middleware(): Middleware {
    return {
      onResponse: async ({ schemaPath, request, response }) => {
        await this.look(schemaPath, request.method.toLowerCase(), response);
        return undefined;
      },
    };
  }
}
