// Events in, a task out, with nothing but the public protos and @grpc/grpc-js.
//
//   npm install && node first-steps.mjs 127.0.0.1:7400
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// PACKAGES and PROTOS say where else the packages and the protos lie.
const require = createRequire(process.env.PACKAGES ? `${process.env.PACKAGES}/` : import.meta.url);
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const protos = process.env.PROTOS ?? fileURLToPath(new URL('../../../protos', import.meta.url));

const definition = loader.loadSync(
  ['ingest', 'tenants', 'work', 'workflow_service'].map((name) => `roster/v1/${name}.proto`),
  { includeDirs: [protos], keepCase: true, longs: String, enums: String, defaults: true, oneofs: true });
const { roster } = grpc.loadPackageDefinition(definition);
const address = process.argv[2] ?? '127.0.0.1:7400';
const credentials = grpc.credentials.createInsecure();
const tenant = new grpc.Metadata();
tenant.set('roster-tenant', 'node-example');

/** A unary call as a promise, with a deadline of ten seconds. */
function call(service, method, request) {
  return new Promise((resolve, reject) => {
    service[method](request, tenant, { deadline: Date.now() + 10_000 }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

const tenants = new roster.v1.TenantService(address, credentials);
const workflows = new roster.v1.WorkflowService(address, credentials);
const ingest = new roster.v1.IngestService(address, credentials);
const work = new roster.v1.WorkService(address, credentials);

// What there is: a property, and a workflow that is on. Doing it again changes nothing.
await call(tenants, 'DeclareProperties', { object_type: 'contact', properties: [{ name: 'email', type: 'STRING' }] });
const workflow = {
  id: 'welcome',
  object_type: 'contact',
  start: { event: { any_of: [{ event_type: 'signed_up', allow_new_record: true }] } },
  steps: [{ id: 'mail', worker: { queue: 'mail', properties: ['email'] } }],
};
await call(workflows, 'SaveWorkflow', { workflow, force: true });
await call(workflows, 'SetWorkflowState', { workflow_id: 'welcome', state: 'ON' });

// Events in one call. The answer comes when they are durable; sent again, they are known and do nothing.
const events = [0, 1, 2].map((i) => ({
  event_id: `sign-up-${i}`,
  object_type: 'contact',
  record_id: `person${i}@example.org`,
  type: 'signed_up',
  writes: [{ name: 'email', value: { text: `person${i}@example.org` } }],
}));
const { results } = await call(ingest, 'Ingest', { events });
console.log('events:', results.map((result) => result.code).join(', '));

// A worker: it says how many tasks it can take, does them, and reports each. A task may come twice, with the same key.
const expected = results.filter((result) => result.code === 'APPLIED').length;
await new Promise((resolve, reject) => {
  const stream = work.Work(tenant);
  let done = 0;
  stream.on('data', (response) => {
    for (const task of response.tasks) {
      console.log('mail to', task.properties[0].value.text);
      stream.write({ completion: { key: task.key, outcome: 'COMPLETED' } });
    }
    done += response.completed.length;
    if (done === expected) {
      stream.end();
      resolve();
    }
  });
  stream.on('error', reject);
  stream.write({ hello: { queue: 'mail', worker: 'node-example', credit: 10 } });
  if (expected === 0) {
    stream.end();
    resolve();
  }
});

const stats = await call(workflows, 'GetWorkflowStats', { workflow_id: 'welcome' });
console.log(`welcome: ${stats.enrolled} enrolled, ${stats.completed} completed`);
for (const service of [tenants, workflows, ingest, work]) {
  service.close();
}
