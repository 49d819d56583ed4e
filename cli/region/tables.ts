import Table from "cli-table3";
import pc from "picocolors";
import type { ShownResource } from "@emqx-aws/simulator/client";
import type { AlarmStatus } from "@emqx-aws/simulator/dataplane";
import { nameOf } from "../local/orphans";

const style = { head: [], border: [], compact: true };

export function resourceTable(resources: readonly ShownResource[]): string {
  const table = new Table({ head: ["Type", "Region", "Id", "Name"], style });
  table.push(...resources.map(({ type, region, id, attributes }) => [type, region, id, nameOf(attributes)]));
  return table.toString();
}

const stateColours = { OK: pc.green, ALARM: pc.red, "no data": pc.dim };

export function alarmTable(alarms: readonly AlarmStatus[]): string {
  if (alarms.length === 0) return "There are no alarms; a stack has them with the setting monitoring.";
  const table = new Table({ head: ["State", "Alarm", "Why"], style });
  table.push(...alarms.map(({ state, name, why }) => [stateColours[state](state), name, why]));
  return table.toString();
}
