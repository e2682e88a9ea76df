// The service behind Restate: one virtual object per record. Restate calls its handlers one at a time per key.

import http2 from "node:http2";
import * as restate from "@restatedev/restate-sdk";
import { DELAY_MS, startedWorkflow } from "./workload.mjs";

// Node 20 does not have it, and the SDK calls it. From Node 22 on this does nothing.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
};

const record = restate.object({
  name: "record",
  handlers: {
    async seed(ctx, properties) {
      ctx.set("record", { properties, enrollments: {} });
    },
    async apply(ctx, event) {
      const state = await ctx.get("record");
      state.properties[event.property] = event.value;
      const workflow = startedWorkflow(event);
      if (workflow >= 0 && !state.enrollments[workflow]) {
        state.enrollments[workflow] = "waiting";
        state.properties[`status_${workflow}`] = "enrolled";
        ctx.objectSendClient({ name: "record" }, ctx.key).complete(workflow, restate.rpc.sendOpts({ delay: DELAY_MS }));
      }
      ctx.set("record", state);
    },
    async complete(ctx, workflow) {
      const state = await ctx.get("record");
      state.enrollments[workflow] = "completed";
      ctx.set("record", state);
    },
  },
});

const server = http2.createServer(restate.endpoint().bind(record).http2Handler());
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("listening"));
