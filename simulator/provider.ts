import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import type { AutoNaming } from "./check";
import { globalRegion } from "./storedResource";
import type { Cloud, Scope } from "./cloud";
import type { Difference } from "./diff";
import { AwsError, CheckError, type Problem } from "./errors";
import { checkProviderConfig, parseConfig, scopeOf } from "./providerConfig";
import { decode, encode, equal, type Decoded, type Path, type Props } from "./values";

// The generated service has no type declarations.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { ResourceProviderService } = require("@pulumi/pulumi/proto/provider_grpc_pb") as {
  ResourceProviderService: grpc.ServiceDefinition;
};

/** What the provider says it is; the program's SDKs ask for no particular one. */
const providerVersion = "7.48.0";

type Unary<Request, Response> = (
  request: Request,
  /** Who asks: the engine has one connection for each provider it configured. */
  peer: string,
) => Response | Promise<Response>;

/**
 * The region as a Pulumi provider: one server stands in for `aws`, `tls` and `random`, for any number of
 * engines and explicitly configured providers at once.
 */
export class ProviderServer {
  private readonly server = new grpc.Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
  /** Configuration by connection. */
  private readonly scopes = new Map<string, Scope>();

  constructor(private readonly cloud: Cloud) {
    this.server.addService(ResourceProviderService, this.methods());
  }

  /** Listens on loopback; resolves to the port. */
  listen(port = 0): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  }

  /** Lets running operations end, but not for long. */
  close(patienceMs = 2000): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.server.forceShutdown(), patienceMs);
      this.server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private methods(): grpc.UntypedServiceImplementation {
    return {
      handshake: unary<rpc.ProviderHandshakeRequest, rpc.ProviderHandshakeResponse>(() => {
        const response = new rpc.ProviderHandshakeResponse();
        response.setAcceptSecrets(true);
        response.setSupportsAutonamingConfiguration(true);
        return response;
      }),
      attach: unary(() => new Empty()),
      cancel: unary(() => new Empty()),
      getPluginInfo: unary(() => {
        const info = new PluginInfo();
        info.setVersion(providerVersion);
        return info;
      }),
      getSchema: unary(() => {
        const response = new rpc.GetSchemaResponse();
        response.setSchema("{}");
        return response;
      }),
      getMapping: unary(() => new rpc.GetMappingResponse()),
      getMappings: unary(() => new rpc.GetMappingsResponse()),
      checkConfig: unary((request: rpc.CheckRequest) => this.checkConfig(request)),
      diffConfig: unary((request: rpc.DiffRequest) => this.diffConfig(request)),
      configure: unary((request: rpc.ConfigureRequest, peer) => this.configure(request, peer)),
      check: unary((request: rpc.CheckRequest) => this.check(request)),
      diff: unary((request: rpc.DiffRequest, peer) => this.diff(request, peer)),
      create: unary((request: rpc.CreateRequest, peer) => this.create(request, peer)),
      read: unary((request: rpc.ReadRequest, peer) => this.read(request, peer)),
      update: unary((request: rpc.UpdateRequest, peer) => this.update(request, peer)),
      delete: unary((request: rpc.DeleteRequest, peer) => this.delete(request, peer)),
      invoke: unary((request: rpc.InvokeRequest, peer) => this.invoke(request, peer)),
    };
  }

  private checkConfig(request: rpc.CheckRequest): rpc.CheckResponse {
    const news = received(request.getNews());
    const problems = checkProviderConfig(
      packageOf(request.getUrn()),
      parseConfig(news.props),
      this.cloud.account.seeds,
    );
    return checkResponse(encode(news.props, news.secrets), problems);
  }

  /** Another region is another provider: all of its resources are replaced. */
  private diffConfig(request: rpc.DiffRequest): rpc.DiffResponse {
    const olds = received(request.getOldInputs() ?? request.getOlds()).props;
    const news = received(request.getNews()).props;
    const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
      (key) => key !== "version" && !equal(olds[key], news[key]),
    );
    const response = new rpc.DiffResponse();
    const moved = packageOf(request.getUrn()) === "aws" && changed.includes("region");
    response.setReplacesList(moved && olds["region"] !== undefined ? ["region"] : []);
    response.setDiffsList(changed);
    response.setChanges(
      changed.length > 0 ? rpc.DiffResponse.DiffChanges.DIFF_SOME : rpc.DiffResponse.DiffChanges.DIFF_NONE,
    );
    return response;
  }

  private configure(request: rpc.ConfigureRequest, peer: string): rpc.ConfigureResponse {
    const config = parseConfig(received(request.getArgs()).props);
    this.scopes.set(peer, scopeOf(config, globalRegion));
    const response = new rpc.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    response.setSupportsAutonamingConfiguration(true);
    return response;
  }

  private check(request: rpc.CheckRequest): rpc.CheckResponse {
    const olds = received(request.getOlds());
    const news = received(request.getNews());
    const urn = request.getUrn();
    const { inputs, problems } = this.cloud.check(typeOf(urn), {
      name: nameOf(urn),
      urn,
      ...(request.hasOlds() ? { olds: olds.props } : {}),
      news: news.props,
      randomSeed: request.getRandomseed_asU8(),
      ...autoNaming(request),
    });
    return checkResponse(encode(inputs, news.secrets), problems);
  }

  private diff(request: rpc.DiffRequest, peer: string): rpc.DiffResponse {
    const difference = this.cloud.diff(
      typeOf(request.getUrn()),
      this.scope(peer),
      received(request.getOlds()).props,
      received(request.getNews()).props,
      request.hasOldInputs() ? received(request.getOldInputs()).props : undefined,
      request.getIgnorechangesList(),
    );
    return diffResponse(difference);
  }

  private async create(request: rpc.CreateRequest, peer: string): Promise<rpc.CreateResponse> {
    const token = typeOf(request.getUrn());
    const inputs = received(request.getProperties());
    const response = new rpc.CreateResponse();
    if (request.getPreview()) {
      const outputs = this.cloud.previewCreate(token, this.scope(peer), inputs.props);
      response.setProperties(this.sent(token, outputs, inputs.secrets));
      return response;
    }
    const { id, outputs } = await this.cloud.create(token, this.scope(peer), inputs.props);
    response.setId(id);
    response.setProperties(this.sent(token, outputs, inputs.secrets));
    return response;
  }

  private async update(request: rpc.UpdateRequest, peer: string): Promise<rpc.UpdateResponse> {
    const token = typeOf(request.getUrn());
    const olds = received(request.getOlds());
    const news = received(request.getNews());
    const ignored = request.getIgnorechangesList();
    const outputs = request.getPreview()
      ? this.cloud.previewUpdate(token, this.scope(peer), olds.props, news.props, ignored)
      : await this.cloud.update(token, this.scope(peer), request.getId(), olds.props, news.props, ignored);
    const response = new rpc.UpdateResponse();
    response.setProperties(this.sent(token, outputs, news.secrets));
    return response;
  }

  private read(request: rpc.ReadRequest, peer: string): rpc.ReadResponse {
    const token = typeOf(request.getUrn());
    const before = received(request.getProperties());
    const oldInputs = received(request.getInputs());
    const known = Object.keys(before.props).length > 0;
    const state = this.cloud.read(token, this.scope(peer), request.getId(), known ? before.props : undefined);
    const response = new rpc.ReadResponse();
    if (!state) {
      return response; // an empty id: it is gone
    }
    const inputs = this.cloud.inputsOf(
      token,
      state.outputs,
      Object.keys(oldInputs.props).length > 0 ? oldInputs.props : undefined,
      known ? before.props : undefined,
    );
    const secrets = [...before.secrets, ...oldInputs.secrets];
    response.setId(state.id);
    response.setProperties(this.sent(token, state.outputs, secrets));
    response.setInputs(this.sent(token, inputs, secrets));
    return response;
  }

  private async delete(request: rpc.DeleteRequest, peer: string): Promise<Empty> {
    const olds = received(request.getProperties()).props;
    await this.cloud.delete(typeOf(request.getUrn()), this.scope(peer), request.getId(), olds);
    return new Empty();
  }

  private invoke(request: rpc.InvokeRequest, peer: string): rpc.InvokeResponse {
    const token = request.getTok();
    const response = new rpc.InvokeResponse();
    try {
      const result = this.cloud.invoke(token, this.scope(peer), received(request.getArgs()).props);
      const secrets = (this.cloud.invokeType(token).sensitive ?? []).map((key) => [key]);
      response.setReturn(struct(encode(result, secrets)));
    } catch (error) {
      if (!(error instanceof CheckError)) {
        throw error;
      }
      response.setFailuresList(error.problems.map(failure));
    }
    return response;
  }

  private sent(token: string, props: Props, secrets: Path[]): Struct {
    return struct(encode(props, [...secrets, ...this.cloud.sensitive(token)]));
  }

  private scope(peer: string): Scope {
    const own = this.scopes.get(peer);
    if (own) {
      return own;
    }
    // A connection that was idle for long comes back from another port; one configuration cannot be mistaken.
    const all = [...new Set([...this.scopes.values()].map((s) => JSON.stringify(s)))];
    const regional = all.map((s) => JSON.parse(s) as Scope).filter((s) => s.region !== globalRegion);
    if (regional.length === 1) {
      return regional[0]!;
    }
    throw new AwsError("NotConfigured", "this connection has not been configured; run the command again");
  }
}

function unary<Request, Response>(handle: Unary<Request, Response>): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const answer = async () => handle(call.request, call.getPeer());
    answer().then(
      (response) => callback(null, response),
      (error: unknown) => callback(status(error)),
    );
  };
}

function status(error: unknown): Partial<grpc.StatusObject> {
  const expected = error instanceof AwsError || error instanceof CheckError;
  const text =
    error instanceof Error ? (expected ? error.message : (error.stack ?? error.message)) : String(error);
  return { code: grpc.status.UNKNOWN, details: text };
}

function received(properties: Struct | undefined): Decoded {
  return decode(properties?.toJavaScript() ?? {});
}

function struct(props: Props): Struct {
  return Struct.fromJavaScript(props);
}

function typeOf(urn: string): string {
  return urn.split("::")[2]!.split("$").pop()!;
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** `aws` of the URN of a provider, whose type is `pulumi:providers:aws`. */
function packageOf(urn: string): string {
  return typeOf(urn).split(":").pop()!;
}

function checkResponse(inputs: Props, problems: Problem[]): rpc.CheckResponse {
  const response = new rpc.CheckResponse();
  response.setInputs(struct(inputs));
  response.setFailuresList(problems.map(failure));
  return response;
}

function failure(problem: Problem): rpc.CheckFailure {
  const result = new rpc.CheckFailure();
  result.setProperty(problem.property);
  result.setReason(problem.reason);
  return result;
}

function autoNaming(request: rpc.CheckRequest): { autoNaming?: AutoNaming } {
  const options = request.getAutonaming();
  if (!options) {
    return {};
  }
  const { PROPOSE, ENFORCE } = rpc.CheckRequest.AutonamingOptions.Mode;
  const mode = options.getMode();
  return {
    autoNaming: {
      mode: mode === PROPOSE ? "propose" : mode === ENFORCE ? "enforce" : "disable",
      proposed: options.getProposedName(),
    },
  };
}

function diffResponse(difference: Difference): rpc.DiffResponse {
  const { changed, replaces, detailed, deleteBeforeReplace } = difference;
  const response = new rpc.DiffResponse();
  response.setChanges(
    changed.length > 0 ? rpc.DiffResponse.DiffChanges.DIFF_SOME : rpc.DiffResponse.DiffChanges.DIFF_NONE,
  );
  response.setDiffsList(changed);
  response.setReplacesList(replaces);
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  const { Kind } = rpc.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  for (const [path, change] of detailed) {
    const entry = new rpc.PropertyDiff();
    entry.setKind(kinds[change.kind][change.replace ? 1 : 0]);
    entry.setInputdiff(change.input);
    response.getDetaileddiffMap().set(path, entry);
  }
  return response;
}
