// The official interoperability cases that apply, driven by @grpc/grpc-js.
//
// Usage: PACKAGES=FOLDER node interop.mjs HOST:PORT, with testing.proto beside this file. Prints one line per case.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(`${process.env.PACKAGES}/`);
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const here = fileURLToPath(new URL('.', import.meta.url));
const definition = loader.loadSync('testing.proto', { includeDirs: [here], keepCase: true, defaults: true });
const { testing } = grpc.loadPackageDefinition(definition).grpc;
const credentials = grpc.credentials.createInsecure();
const stub = new testing.TestService(process.argv[2], credentials);
const nobody = new testing.UnimplementedService(process.argv[2], credentials);

const sizesOut = [31415, 9, 2653, 58979];
const sizesIn = [27182, 8, 1828, 45904];
const payload = (size) => ({ body: Buffer.alloc(size) });
const output = (size, body) => ({ response_parameters: [{ size }], payload: payload(body) });

/** A call that has one answer: the answer, first and last metadata; rejects with the status. */
function unary(method, request, metadata = new grpc.Metadata()) {
  return new Promise((resolve, reject) => {
    const seen = {};
    const call = stub[method](request, metadata, (error, answer) => {
      seen.error = error;
      seen.answer = answer;
    });
    call.on('metadata', (initial) => { seen.initial = initial; });
    call.on('status', (status) => (seen.error ? reject(seen.error) : resolve({ ...seen, trailing: status.metadata })));
  });
}

/** A call that has many: everything that has come when it is over. A status that is not OK is in it and not thrown. */
function stream(call, onAnswer = () => {}) {
  return new Promise((resolve) => {
    const seen = { answers: [] };
    call.on('metadata', (initial) => { seen.initial = initial; });
    call.on('data', (answer) => {
      seen.answers.push(answer);
      onAnswer(seen.answers.length);
    });
    call.on('error', () => {});
    call.on('status', (status) => resolve({ ...seen, status, trailing: status.metadata }));
  });
}

const lengths = (answers) => answers.map((answer) => answer.payload.body.length);

async function refused(call, code, message) {
  await assert.rejects(call, (error) => error.code === code && (message === undefined || error.details === message));
}

const cases = {
  async empty_unary() {
    assert.deepEqual((await unary('EmptyCall', {})).answer, {});
  },

  async large_unary() {
    const { answer } = await unary('UnaryCall', { response_size: 314159, payload: payload(271828) });
    assert.ok(answer.payload.body.equals(Buffer.alloc(314159)));
  },

  async client_streaming() {
    const answer = await new Promise((resolve, reject) => {
      const call = stub.StreamingInputCall((error, value) => (error ? reject(error) : resolve(value)));
      sizesIn.forEach((size) => call.write({ payload: payload(size) }));
      call.end();
    });
    assert.equal(answer.aggregated_payload_size, 74922);
  },

  async server_streaming() {
    const seen = await stream(stub.StreamingOutputCall({ response_parameters: sizesOut.map((size) => ({ size })) }));
    assert.equal(seen.status.code, grpc.status.OK);
    assert.deepEqual(lengths(seen.answers), sizesOut);
  },

  async ping_pong() {
    const call = stub.FullDuplexCall();
    const seen = stream(call, (count) => (count < sizesOut.length ? call.write(output(sizesOut[count], sizesIn[count])) : call.end()));
    call.write(output(sizesOut[0], sizesIn[0]));
    const { answers, status } = await seen;
    assert.equal(status.code, grpc.status.OK);
    assert.deepEqual(lengths(answers), sizesOut);
  },

  async empty_stream() {
    const call = stub.FullDuplexCall();
    call.end();
    const { answers, status } = await stream(call);
    assert.equal(status.code, grpc.status.OK);
    assert.deepEqual(answers, []);
  },

  async custom_metadata() {
    const bytes = Buffer.from([0x0a, 0x0b, 0x0a, 0x0b, 0x0a, 0x0b]);
    const metadata = new grpc.Metadata();
    metadata.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
    metadata.set('x-grpc-test-echo-trailing-bin', bytes);
    const check = (seen) => {
      assert.deepEqual(seen.initial.get('x-grpc-test-echo-initial'), ['test_initial_metadata_value']);
      assert.deepEqual(seen.trailing.get('x-grpc-test-echo-trailing-bin'), [bytes]);
    };
    check(await unary('UnaryCall', { response_size: 314159, payload: payload(271828) }, metadata));
    const call = stub.FullDuplexCall(metadata);
    call.write(output(314159, 271828));
    call.end();
    const seen = await stream(call);
    assert.deepEqual(lengths(seen.answers), [314159]);
    check(seen);
  },

  async status_code_and_message() {
    const response_status = { code: 2, message: 'test status message' };
    await refused(unary('UnaryCall', { response_status }), grpc.status.UNKNOWN, response_status.message);
    const call = stub.FullDuplexCall();
    call.write({ response_status });
    call.end();
    const { status } = await stream(call);
    assert.equal(status.code, grpc.status.UNKNOWN);
    assert.equal(status.details, response_status.message);
  },

  async special_status_message() {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n';
    await refused(unary('UnaryCall', { response_status: { code: 2, message } }), grpc.status.UNKNOWN, message);
  },

  async unimplemented_method() {
    await refused(unary('UnimplementedCall', {}), grpc.status.UNIMPLEMENTED);
  },

  async unimplemented_service() {
    await refused(new Promise((resolve, reject) => {
      nobody.UnimplementedCall({}, (error, answer) => (error ? reject(error) : resolve(answer)));
    }), grpc.status.UNIMPLEMENTED);
  },

  async cancel_after_begin() {
    const code = await new Promise((resolve) => {
      const call = stub.StreamingInputCall((error) => resolve(error?.code));
      call.cancel();
    });
    assert.equal(code, grpc.status.CANCELLED);
  },

  async cancel_after_first_response() {
    const call = stub.FullDuplexCall();
    const seen = stream(call, () => call.cancel());
    call.write(output(31415, 27182));
    const { answers, status } = await seen;
    assert.deepEqual(lengths(answers), [31415]);
    assert.equal(status.code, grpc.status.CANCELLED);
  },

  async timeout_on_sleeping_server() {
    const call = stub.FullDuplexCall(new grpc.Metadata(), { deadline: Date.now() + 1 });
    const { status } = await stream(call);
    assert.equal(status.code, grpc.status.DEADLINE_EXCEEDED);
  },
};

for (const [name, run] of Object.entries(cases)) {
  await run();
  console.log(name);
}

console.log('interop done');
stub.close();
nobody.close();
