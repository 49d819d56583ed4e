interface NodeOperation {
  /** What it does on the node. */
  does: string;
  /** The one word that may follow it. */
  takes?: string;
}

/** What people may ask of a node by hand. */
export const nodeOperations: Readonly<Record<string, NodeOperation>> = {
  sync: { does: "takes up what has changed in the node's parameters, as it does every minute" },
  drain: { does: "moves clients away, as before a stop" },
  backup: { does: "exports EMQX's data; `backup here` even if another node is to do it", takes: "here" },
  restore: {
    does: "imports a backup: `restore latest`, or its name; without one it lists them",
    takes: "latest, a backup's name",
  },
};
