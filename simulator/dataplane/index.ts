/** The data plane of the simulated region: machines, brokers, load balancers and the network between them. */
export type { AlarmStatus } from "./alarms";
export { addDataPlaneRoutes } from "./controlRoutes";
export {
  startDataPlane,
  type ConnectedClient,
  type DataPlane,
  type DataPlaneOptions,
  type Faults,
  type LoadBalancerStatus,
  type MachineStatus,
  type StandingFault,
} from "./dataPlane";
export type { Clocks } from "./elb/environment";
export type { Endpoint } from "./elb/listener";
export { attachDataPlane, runMachines, type RunningMachines } from "./regionHost";
export type { OperationResult } from "../machine/machine";
