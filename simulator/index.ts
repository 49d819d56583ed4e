/**
 * The simulated AWS region: one model (an account with AWS's rules) behind two doors, a Pulumi provider and
 * mocks for unit tests. A development tool: the published package does not contain it.
 */
export { Account, type Change } from "./account";
export { accountNumber, globalRegion, type StoredResource } from "./storedResource";
export {
  certificateMaterial,
  knownMaterial,
  provideListenerCertificates,
  type CertificateMaterial,
} from "./certificateMaterial";
export { Cloud, type Scope, type State } from "./cloud";
export { Context } from "./context";
export { AwsError, CheckError } from "./errors";
export { inService, registering, type InstanceHealth } from "./health";
export { Machines, type MachineHost } from "./machines";
export { isUnknownInput, newAccount, RegionMocks, type Registered, type RegionMocksOptions } from "./mocks";
export { readRegionFile, RegionClient, RegionError, type RegionFile, type ShownResource } from "./client";
export { egressProblem, routesOf, tableOf } from "./network";
export { nodeFacts, QuickMachines, type NodeFacts } from "./quickMachines";
export { asRole, type RoleSession } from "./roles";
export { RegionServer, type RegionServerOptions } from "./server";
export * as names from "./services/names";
