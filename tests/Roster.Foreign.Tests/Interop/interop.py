"""The official interoperability cases that apply, driven by Debian's python3-grpcio.

Usage: interop.py HOST:PORT, with the generated modules of testing.proto on PYTHONPATH. Prints one line per case.
"""

import sys

import grpc

import testing_pb2 as pb
import testing_pb2_grpc

SIZES_OUT = (31415, 9, 2653, 58979)
SIZES_IN = (27182, 8, 1828, 45904)


def payload(size):
    return pb.Payload(body=b"\0" * size)


def output(size, body):
    return pb.StreamingOutputCallRequest(response_parameters=[pb.ResponseParameters(size=size)], payload=payload(body))


def empty_unary(stub):
    assert stub.EmptyCall(pb.Empty()) == pb.Empty()


def large_unary(stub):
    answer = stub.UnaryCall(pb.SimpleRequest(response_size=314159, payload=payload(271828)))
    assert answer.payload.body == b"\0" * 314159


def client_streaming(stub):
    answer = stub.StreamingInputCall(pb.StreamingInputCallRequest(payload=payload(size)) for size in SIZES_IN)
    assert answer.aggregated_payload_size == 74922


def server_streaming(stub):
    request = pb.StreamingOutputCallRequest(response_parameters=[pb.ResponseParameters(size=size) for size in SIZES_OUT])
    assert [len(answer.payload.body) for answer in stub.StreamingOutputCall(request)] == list(SIZES_OUT)


class Pipe:
    """Requests that are sent one at a time."""

    def __init__(self):
        import queue
        self.queue = queue.Queue()

    def send(self, request):
        self.queue.put(request)

    def close(self):
        self.queue.put(None)

    def __iter__(self):
        return iter(self.queue.get, None)


def ping_pong(stub):
    pipe = Pipe()
    answers = stub.FullDuplexCall(iter(pipe))
    for size, body in zip(SIZES_OUT, SIZES_IN):
        pipe.send(output(size, body))
        assert len(next(answers).payload.body) == size
    pipe.close()
    assert next(answers, None) is None


def empty_stream(stub):
    assert list(stub.FullDuplexCall(iter(()))) == []


def custom_metadata(stub):
    metadata = (("x-grpc-test-echo-initial", "test_initial_metadata_value"), ("x-grpc-test-echo-trailing-bin", b"\x0a\x0b\x0a\x0b\x0a\x0b"))

    def check(call):
        assert ("x-grpc-test-echo-initial", "test_initial_metadata_value") in [tuple(m) for m in call.initial_metadata()]
        assert ("x-grpc-test-echo-trailing-bin", b"\x0a\x0b\x0a\x0b\x0a\x0b") in [tuple(m) for m in call.trailing_metadata()]

    _, call = stub.UnaryCall.with_call(pb.SimpleRequest(response_size=314159, payload=payload(271828)), metadata=metadata)
    check(call)
    duplex = stub.FullDuplexCall(iter((output(314159, 271828),)), metadata=metadata)
    assert len(list(duplex)) == 1
    check(duplex)


def expect(code, message, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        assert message is None or error.details() == message, error.details()
        return
    raise AssertionError(f"{code} was expected")


def status_code_and_message(stub):
    status = pb.EchoStatus(code=2, message="test status message")
    expect(grpc.StatusCode.UNKNOWN, status.message, lambda: stub.UnaryCall(pb.SimpleRequest(response_status=status)))
    expect(grpc.StatusCode.UNKNOWN, status.message, lambda: list(stub.FullDuplexCall(iter((pb.StreamingOutputCallRequest(response_status=status),)))))


def special_status_message(stub):
    text = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
    expect(grpc.StatusCode.UNKNOWN, text, lambda: stub.UnaryCall(pb.SimpleRequest(response_status=pb.EchoStatus(code=2, message=text))))


def unimplemented_method(stub):
    expect(grpc.StatusCode.UNIMPLEMENTED, None, lambda: stub.UnimplementedCall(pb.Empty()))


def cancel_after_begin(stub):
    call = stub.StreamingInputCall.future(iter(Pipe()))
    call.cancel()
    assert call.code() == grpc.StatusCode.CANCELLED, call.code()


def cancel_after_first_response(stub):
    pipe = Pipe()
    call = stub.FullDuplexCall(iter(pipe))
    pipe.send(output(31415, 27182))
    assert len(next(call).payload.body) == 31415
    call.cancel()
    expect(grpc.StatusCode.CANCELLED, None, lambda: next(call))


def timeout_on_sleeping_server(stub):
    call = stub.FullDuplexCall(iter(Pipe()), timeout=0.001)
    expect(grpc.StatusCode.DEADLINE_EXCEEDED, None, lambda: next(call))


CASES = (
    empty_unary, large_unary, client_streaming, server_streaming, ping_pong, empty_stream, custom_metadata, status_code_and_message,
    special_status_message, unimplemented_method, cancel_after_begin, cancel_after_first_response, timeout_on_sleeping_server,
)


def main(address):
    with grpc.insecure_channel(address) as channel:
        stub = testing_pb2_grpc.TestServiceStub(channel)
        for case in CASES:
            case(stub)
            print(case.__name__, flush=True)
        nobody = testing_pb2_grpc.UnimplementedServiceStub(channel)
        expect(grpc.StatusCode.UNIMPLEMENTED, None, lambda: nobody.UnimplementedCall(pb.Empty()))
        print("unimplemented_service", flush=True)
        print("interop done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
    # Without waiting for calls that were cancelled and whose requests never end.
    import os
    os._exit(0)
