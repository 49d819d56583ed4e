/** What can be seen of a deployment from inside its account: the one thing that differs between simulated and real. */

export interface InstanceState {
  instanceId: string;
  inService: boolean;
  /** The load balancer's reason, when it is not. */
  description: string;
}

/** Where a client on this machine has to connect. */
export interface Place {
  host: string;
  port: number;
  /** How the name became an address, for people. */
  how: string;
  /** Why nothing can answer there, where that is known. */
  problem?: string;
}

export interface Inside {
  readonly kind: "simulated" | "real";
  /** Resolves a name; throws when it has no address. */
  locate(hostname: string, port: number): Promise<Place>;
  /** An SSM parameter's value. */
  parameter(name: string): Promise<string>;
  /** What to trust at a TLS port, where the stack's outputs do not say; nothing: the system's CAs. */
  trustAnchor(port: number): Promise<string | undefined>;
  /** What the load balancer thinks of its instances; undefined when that cannot be asked. */
  instances(): Promise<InstanceState[] | undefined>;
  idleTimeoutSeconds(): Promise<number | undefined>;
  /** Node names by client id; undefined when clients cannot be told apart by node. */
  nodesOfClients(): Promise<Map<string, string> | undefined>;
  /** What the nodes themselves complain about: boot, seeds, cookie. */
  complaints(): Promise<string[]>;
  /** Addresses of the nodes, where an attempt to reach them past the load balancer can be made from here. */
  nodeAddresses(): Promise<string[]>;
  /** Runs a node operation on an instance and hands on what the node says, line by line; its exit code. */
  operate(
    instanceId: string,
    operation: string,
    args: string[],
    say: (line: string) => void,
  ): Promise<number>;
}
