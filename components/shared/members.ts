/**
 * The resources that a component shows as read-only members, for a program to go on from. They are behind getters: the schema for
 * other languages takes every property of a class for an output.
 */
export class Members<Owner extends object, Made extends object> {
  private readonly made = new WeakMap<Owner, Made>();

  public keep(owner: Owner, made: Made): void {
    this.made.set(owner, made);
  }

  public of(owner: Owner): Made {
    const made = this.made.get(owner);
    if (made === undefined) {
      throw new Error("the component is not made yet: its members are there once its constructor has ended");
    }
    return made;
  }
}
