/** The two doors of the model, so that one table can be asked at both. */
import * as grpc from "@grpc/grpc-js";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Cloud, newAccount, QuickMachines, RegionMocks } from "..";
import { ProviderServer } from "../provider";
import type { Props } from "../values";
import type { Door } from "./world";

// The generated client has no type declarations.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { ResourceProviderClient } = require("@pulumi/pulumi/proto/provider_grpc_pb") as {
  ResourceProviderClient: new (
    address: string,
    credentials: grpc.ChannelCredentials,
    options: object,
  ) => grpc.Client;
};

export class MocksDoor implements Door {
  readonly mocks = new RegionMocks();

  async create(type: string, name: string, inputs: Props): Promise<{ id: string; outputs: Props }> {
    const { id, state } = await this.mocks.newResource({ type, name, inputs, custom: true });
    return { id: id!, outputs: state as Props };
  }
}

export const struct = (props: object): Struct =>
  Struct.fromJavaScript(props as Record<string, JavaScriptValue>);
export const urnOf = (type: string, name: string): string => `urn:pulumi:test::project::${type}::${name}`;

interface Difference {
  changes: number;
  replaces: string[];
  deleteBeforeReplace: boolean;
  detailed: Record<string, string>;
}

/** An engine with one configured provider, as far as a test needs it. */
export class Engine implements Door {
  private readonly client: grpc.Client;
  private sequence = 0;

  constructor(port: number) {
    // A connection of its own: the provider keeps a configuration for each.
    const options = { "grpc.use_local_subchannel_pool": 1 };
    this.client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options);
  }

  close(): void {
    this.client.close();
  }

  call<Response>(method: string, request: object): Promise<Response> {
    return new Promise((resolve, reject) => {
      const client = this.client as unknown as Record<
        string,
        (request: object, callback: (error: grpc.ServiceError | null, response: Response) => void) => void
      >;
      client[method]!.call(client, request, (error, response) =>
        error ? reject(new Error(error.details)) : resolve(response),
      );
    });
  }

  async configure(config: Props): Promise<void> {
    const request = new rpc.ConfigureRequest();
    request.setArgs(struct(config));
    await this.call("configure", request);
  }

  async check(type: string, name: string, news: object, olds?: object): Promise<Props> {
    const request = new rpc.CheckRequest();
    request.setUrn(urnOf(type, name));
    request.setNews(struct(news));
    request.setRandomseed(Buffer.from(`seed ${this.sequence++}`));
    if (olds) {
      request.setOlds(struct(olds));
    }
    const response = await this.call<rpc.CheckResponse>("check", request);
    const failures = response.getFailuresList();
    if (failures.length > 0) {
      // As the engine shows it.
      throw new Error(
        failures
          .map((f) => {
            const where = f.getProperty() === "" ? "" : ` Examine values at '${name}.${f.getProperty()}'.`;
            return `${type} resource '${name}' has a problem: ${f.getReason()}.${where}`;
          })
          .join("\n"),
      );
    }
    return response.getInputs()!.toJavaScript();
  }

  async create(
    type: string,
    name: string,
    inputs: object,
  ): Promise<{ id: string; outputs: Props; inputs: Props }> {
    const checked = await this.check(type, name, inputs);
    const request = new rpc.CreateRequest();
    request.setUrn(urnOf(type, name));
    request.setProperties(struct(checked));
    const response = await this.call<rpc.CreateResponse>("create", request);
    return {
      id: response.getId(),
      outputs: response.getProperties()!.toJavaScript(),
      inputs: checked,
    };
  }

  async preview(type: string, name: string, inputs: object): Promise<Props> {
    const request = new rpc.CreateRequest();
    request.setUrn(urnOf(type, name));
    request.setProperties(struct(await this.check(type, name, inputs)));
    request.setPreview(true);
    const response = await this.call<rpc.CreateResponse>("create", request);
    return response.getProperties()!.toJavaScript();
  }

  async diff(
    type: string,
    name: string,
    before: { id: string; outputs: object; inputs: object },
    news: object,
    ignored: string[] = [],
  ): Promise<Difference> {
    const request = new rpc.DiffRequest();
    request.setId(before.id);
    request.setUrn(urnOf(type, name));
    request.setOlds(struct(before.outputs));
    request.setOldInputs(struct(before.inputs));
    request.setNews(struct(await this.check(type, name, news, before.inputs)));
    request.setIgnorechangesList(ignored);
    const response = await this.call<rpc.DiffResponse>("diff", request);
    const kinds = Object.fromEntries(Object.entries(rpc.PropertyDiff.Kind).map(([text, n]) => [n, text]));
    return {
      changes: response.getChanges(),
      replaces: response.getReplacesList(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
      detailed: Object.fromEntries(
        response
          .getDetaileddiffMap()
          .toArray()
          .map(([path, change]) => [path, kinds[(change as unknown as [number])[0] ?? 0] ?? "ADD"]),
      ),
    };
  }

  async read(
    type: string,
    name: string,
    id: string,
    before?: { outputs: object; inputs: object },
  ): Promise<{ id: string; outputs: Props; inputs: Props }> {
    const request = new rpc.ReadRequest();
    request.setId(id);
    request.setUrn(urnOf(type, name));
    if (before) {
      request.setProperties(struct(before.outputs));
      request.setInputs(struct(before.inputs));
    }
    const response = await this.call<rpc.ReadResponse>("read", request);
    return {
      id: response.getId(),
      outputs: response.getProperties()?.toJavaScript() ?? {},
      inputs: response.getInputs()?.toJavaScript() ?? {},
    };
  }

  async update(
    type: string,
    name: string,
    before: { id: string; outputs: object; inputs: object },
    news: object,
  ): Promise<Props> {
    const request = new rpc.UpdateRequest();
    request.setId(before.id);
    request.setUrn(urnOf(type, name));
    request.setOlds(struct(before.outputs));
    request.setOldInputs(struct(before.inputs));
    request.setNews(struct(await this.check(type, name, news, before.inputs)));
    const response = await this.call<rpc.UpdateResponse>("update", request);
    return response.getProperties()!.toJavaScript();
  }

  async delete(type: string, name: string, id: string): Promise<void> {
    const request = new rpc.DeleteRequest();
    request.setId(id);
    request.setUrn(urnOf(type, name));
    request.setProperties(struct({}));
    await this.call("pb_delete" in this.client ? "pb_delete" : "delete", request);
  }

  async invoke(token: string, args: object): Promise<Props> {
    const request = new rpc.InvokeRequest();
    request.setTok(token);
    request.setArgs(struct(args));
    const response = await this.call<rpc.InvokeResponse>("invoke", request);
    const failures = response.getFailuresList();
    if (failures.length > 0) {
      throw new Error(failures.map((f) => f.getReason()).join("\n"));
    }
    return response.getReturn()!.toJavaScript();
  }
}

/** A provider in this process, and engines that talk to it. */
export class Provider {
  readonly cloud = new Cloud(newAccount(), { cheapKeys: true });
  readonly server = new ProviderServer(this.cloud);
  private readonly engines: Engine[] = [];
  private port = 0;

  static async start(): Promise<Provider> {
    const provider = new Provider();
    provider.cloud.machines.attach(new QuickMachines(provider.cloud));
    provider.port = await provider.server.listen();
    return provider;
  }

  async engine(config: Props = { region: "eu-west-1" }): Promise<Engine> {
    const engine = new Engine(this.port);
    this.engines.push(engine);
    await engine.configure(config);
    return engine;
  }

  async stop(): Promise<void> {
    this.engines.forEach((engine) => engine.close());
    await this.server.close();
  }
}
