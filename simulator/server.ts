import { Account, journalKey } from "./account";
import { Cloud } from "./cloud";
import { ControlServer } from "./control";
import type { MachineHost } from "./machines";
import { ProviderServer } from "./provider";
import { QuickMachines } from "./quickMachines";
import { Seeds } from "./seeds";
import { Store } from "./store";

export interface RegionServerOptions {
  /** Where the state is kept. Left out: nowhere. */
  directory?: string;
  /** gRPC port; default: a free one. */
  port?: number;
  /** Another account.yaml. */
  seeds?: Seeds;
  /** Runs the machines; default: judged, not run (quickMachines.ts). */
  machines?: (cloud: Cloud) => MachineHost;
  /** Called when the control endpoint is asked to shut down. */
  onShutdown?: () => void;
}

/** A whole simulated region in this process: model, state, provider, control endpoint. */
export class RegionServer {
  readonly cloud: Cloud;
  readonly control: ControlServer;
  port = 0;
  controlPort = 0;
  private readonly provider: ProviderServer;
  private readonly store: Store | undefined;
  private closing: Promise<void> | undefined;

  private constructor(options: RegionServerOptions) {
    const seeds = options.seeds ?? Seeds.load();
    const account = new Account({ seeds });
    account.restore({ counter: 0, resources: seeds.resources().map((r) => [journalKey(r), r]) });
    this.store = options.directory === undefined ? undefined : new Store(account, options.directory);
    this.store?.open();
    this.cloud = new Cloud(account);
    this.provider = new ProviderServer(this.cloud);
    this.control = new ControlServer(this.cloud, {
      shutdown: async () => {
        this.store?.compact();
        // After the answer has left.
        setImmediate(() => options.onShutdown?.());
      },
    });
  }

  static async start(options: RegionServerOptions = {}): Promise<RegionServer> {
    const region = new RegionServer(options);
    const host = options.machines ?? ((cloud) => new QuickMachines(cloud));
    region.cloud.machines.attach(host(region.cloud));
    region.port = await region.provider.listen(options.port);
    region.controlPort = await region.control.listen();
    return region;
  }

  get token(): string {
    return this.control.token;
  }

  /** The value of PULUMI_DEBUG_PROVIDERS. */
  get debugProviders(): string {
    return ["aws", "random", "tls"].map((name) => `${name}:${this.port}`).join(",");
  }

  close(): Promise<void> {
    this.closing ??= (async () => {
      await Promise.all([this.provider.close(), this.control.close()]);
      await this.cloud.machines.dispose();
      this.store?.close();
    })();
    return this.closing;
  }
}
