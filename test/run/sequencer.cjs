const { default: Sequencer } = require("@jest/test-sequencer");
const { projects } = require("../../jest.config.cjs");

const order = projects.map(({ displayName }) => displayName);

/** The slowest projects first; within a project as jest does it, by the last run's durations. */
module.exports = class extends Sequencer {
  sort(tests) {
    const rank = ({ context }) => order.indexOf(context.config.displayName.name);
    return super.sort(tests).sort((one, other) => rank(one) - rank(other));
  }
};
