/** What keeps things from being deleted: protection by the engine, volumes that outlive their stack, full buckets. */
import { types } from "../types";
import { type ResourceChange, changed } from "./change";
import { type Notice, type NoticeInput, names, ofAny, operators } from "./notice";

export function safeguardNotices({ change }: NoticeInput): Notice[] {
  const { resources } = change;
  const goes = ({ operation }: ResourceChange) => operation === "delete" || operation === "replace";
  const stuck = resources.filter((resource) => goes(resource) && resource.before?.protect);
  const stays = resources.filter((resource) => !goes(resource) && resource.before && resource.after);
  const unprotected = stays.filter(({ before, after }) => before!.protect && !after!.protect);
  const guarded = stays.filter(({ before, after }) => !before!.protect && after!.protect);
  const volumes = stays.filter(({ type }) => type === types.volume);
  const dropped = volumes.filter(({ before, after }) => before!.retainOnDelete && !after!.retainOnDelete);
  const buckets = changed(change, types.bucket, "delete", "replace").filter(
    ({ before }) => !before?.retainOnDelete,
  );
  const kept = buckets.filter(({ before }) => before?.inputs.forceDestroy !== true);
  const emptied = buckets.filter(({ before }) => before?.inputs.forceDestroy === true);
  const retained = volumes.filter(({ before, after }) => !before!.retainOnDelete && after!.retainOnDelete);
  return [
    ...notice(stuck, (who) => `Protected resources would have to go, which the engine refuses: ${who}.`),
    ...notice(
      unprotected,
      (who) =>
        `Protection is taken away: from this update on, the engine deletes these when told to: ${who}.`,
    ),
    ...notice(guarded, (who) => `Protected from this update on; the engine refuses to delete: ${who}.`),
    ...notice(
      dropped,
      (who) =>
        `Data volumes are no longer kept: from this update on, one that leaves the stack is deleted with its data: ${who}.`,
    ),
    ...notice(
      retained,
      (who) => `Data volumes are kept in AWS from this update on when they leave the stack: ${who}.`,
    ),
    ...notice(
      kept,
      (who) => `Buckets would have to go, which S3 refuses while there is anything in them: ${who}.`,
    ),
    ...ofAny(emptied, (lost) =>
      operators(
        "destroys-data",
        `Buckets are deleted with all that is in them: ${names(lost)}.`,
        "data-loss",
      ),
    ),
  ];
}

function notice(resources: ResourceChange[], words: (who: string) => string): Notice[] {
  return ofAny(resources, () => operators("safe", words(names(resources))));
}
