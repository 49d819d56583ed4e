/** A simulated machine as its commands see it. */
import type { Verdict } from "../../dataplane/reachability";
import type { InstanceFacts, RoleCalls } from "../../dataplane/regionView";
import type { EmqxNode } from "../emqxNode";
import type { Clock } from "./clock";
import type { Disks } from "./disks";
import type { Root } from "./root";
import type { Units } from "./units";

export interface System {
  instanceId: string;
  /** The loopback address that stands for its private one. */
  address: string;
  root: Root;
  clock: Clock;
  disks: Disks;
  units: Units;
  role: RoleCalls;
  /** The region's time of day. */
  timeOfDay(): Date;
  /** The instance as the region describes it now. */
  facts(): InstanceFacts;
  /** Whether its network lets it reach a host on the internet. */
  egress(host: string, port: number): Verdict;
  /** Whether something at a private address takes a connection on this port. */
  dial(privateIp: string, port: number): Promise<boolean>;
  /** Source ports whose answers rules of the kernel keep on the machine, by the rules' preferences. */
  rules: Map<number, number>;
  /** EMQX, while it runs. */
  emqx(): EmqxNode | undefined;
}
