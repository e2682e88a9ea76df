"""The tour of the README, driven by Debian's python3-grpcio: a gRPC client that nobody here wrote.

Usage: tour.py HOST:PORT, with the generated modules of protos/roster/v1 on PYTHONPATH. Prints one line per step; an assertion
that fails ends it with a traceback and exit code 1.
"""

import queue
import signal
import sys

import grpc
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from grpc.health.v1 import health_pb2, health_pb2_grpc
from roster.v1 import admin_pb2, admin_pb2_grpc
from roster.v1 import enrollments_pb2, enrollments_pb2_grpc
from roster.v1 import events_pb2
from roster.v1 import ingest_pb2, ingest_pb2_grpc
from roster.v1 import journal_pb2, journal_pb2_grpc
from roster.v1 import lists_pb2, lists_pb2_grpc
from roster.v1 import records_pb2, records_pb2_grpc
from roster.v1 import tenants_pb2, tenants_pb2_grpc
from roster.v1 import values_pb2
from roster.v1 import work_pb2, work_pb2_grpc
from roster.v1 import workflow_service_pb2, workflow_service_pb2_grpc
from roster.v1 import workflows_pb2

WORKFLOW = """
{
  "id": "tour", "objectType": "contact", "suppressionLists": ["quiet"],
  "start": { "event": { "anyOf": [ { "eventType": "form_submitted",
      "where": [ { "property": "form", "operator": "IS_EQUAL_TO", "values": ["ebook"] } ] } ] } },
  "goals": [ { "id": "customer", "criteria": { "anyOf": [ { "allOf": [
      { "property": "lifecyclestage", "operator": "IS_ANY_OF", "values": ["customer"] } ] } ] } } ],
  "steps": [
    { "id": "welcome", "next": "wait", "worker": { "queue": "mail", "properties": ["email"],
        "fields": [ { "name": "template", "text": "welcome" } ] } },
    { "id": "wait", "next": "segment", "delay": { "amount": 2, "unit": "DAYS" } },
    { "id": "segment", "branch": { "defaultNext": "cold", "branches": [ { "name": "hot", "next": "call",
        "criteria": { "anyOf": [ { "allOf": [ { "property": "score", "operator": "IS_GREATER_THAN", "values": ["50"] } ] } ] } } ] } },
    { "id": "call", "worker": { "queue": "sales" } },
    { "id": "cold", "setProperty": { "property": "lifecyclestage", "value": "nurture" } }
  ]
}
"""

HOT = """
{
  "id": "hot", "objectType": "contact",
  "criteria": { "anyOf": [ { "allOf": [ { "property": "score", "operator": "IS_GREATER_THAN", "values": ["50"] } ] } ] }
}
"""


def contact(record):
    return values_pb2.RecordRef(object_type="contact", record_id=record)


def text(name, value):
    return values_pb2.PropertyValue(name=name, value=values_pb2.Value(text=value))


def number(name, value):
    return values_pb2.PropertyValue(name=name, value=values_pb2.Value(number=value))


def form(event_id, record, score):
    return events_pb2.Event(
        event_id=event_id, object_type="contact", record_id=record, type="form_submitted",
        properties=[text("form", "ebook")],
        writes=[text("email", record), number("score", score), text("lifecyclestage", "lead")])


def expect_error(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        return error
    raise AssertionError(f"{code} was expected")


def hold(outgoing, events):
    """The bytes of one request, and no end of the requests before outgoing says so."""
    yield ingest_pb2.IngestRequest(events=events).SerializeToString()
    outgoing.get()


def outcome(call):
    try:
        call()
        return grpc.StatusCode.OK
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, (error.code(), error.details())
        return error.code()


def overload(channel, metadata):
    """A call too many is RESOURCE_EXHAUSTED, and nothing else, while its client still sends."""
    ingest = ingest_pb2_grpc.IngestServiceStub(channel)

    def event(number, size):
        return events_pb2.Event(
            event_id=f"o{number}", object_type="contact", record_id="max@example.org", type="form_submitted", properties=[text("form", "x" * size)])

    def small():
        return ingest.Ingest(ingest_pb2.IngestRequest(events=[event(100, 10)]), metadata=metadata)

    # One call takes all room and keeps it, because its requests do not end. It needs the room for itself: it is refused while a small one is on its way.
    holding = None
    while True:
        if holding is None or holding.done():
            outgoing = queue.Queue()
            holding = channel.stream_unary("/roster.v1.IngestService/Ingest", lambda request: request, ingest_pb2.IngestResponse.FromString).future(
                hold(outgoing, [event(i, 30_000) for i in range(3)]), metadata=metadata)
        if outcome(small) == grpc.StatusCode.RESOURCE_EXHAUSTED:
            break
    large = ingest_pb2.IngestRequest(events=[event(i, 100_000) for i in range(80)])
    for _ in range(10):
        refused = expect_error(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: ingest.Ingest(large, metadata=metadata))
        assert "call_bytes_in_flight_max" in refused.details(), refused.details()
    outgoing.put(None)
    assert all(r.code == events_pb2.EventResult.APPLIED for r in holding.result().results), holding.result()
    while outcome(small) != grpc.StatusCode.OK:
        pass
    print("overload:", refused.details())


def main(address):
    channel = grpc.insecure_channel(address)
    metadata = (("roster-tenant", "tour"),)

    health = health_pb2_grpc.HealthStub(channel)
    assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
    print("health: SERVING")

    tenants = tenants_pb2_grpc.TenantServiceStub(channel)
    kind = values_pb2.PropertyType
    tenants.DeclareProperties(tenants_pb2.DeclarePropertiesRequest(object_type="contact", properties=[
        tenants_pb2.PropertyDefinition(name="email", type=kind.STRING),
        tenants_pb2.PropertyDefinition(name="score", type=kind.NUMBER),
        tenants_pb2.PropertyDefinition(name="lifecyclestage", type=kind.ENUMERATION, options=["lead", "customer", "nurture"]),
    ]), metadata=metadata)

    lists = lists_pb2_grpc.ListServiceStub(channel)
    lists.SaveList(lists_pb2.SaveListRequest(list=json_format.Parse(HOT, lists_pb2.List())), metadata=metadata)
    lists.SaveList(lists_pb2.SaveListRequest(list=lists_pb2.List(id="quiet", object_type="contact")), metadata=metadata)
    added = lists.AddToList(lists_pb2.ChangeMembershipRequest(list_id="quiet", ref=contact("eve@example.org"), request_id="q1"), metadata=metadata)
    assert added.result.code == events_pb2.EventResult.APPLIED, added
    by_hand = expect_error(grpc.StatusCode.INVALID_ARGUMENT, lambda: lists.AddToList(
        lists_pb2.ChangeMembershipRequest(list_id="hot", ref=contact("eve@example.org"), request_id="q2"), metadata=metadata))
    print("lists: one active, one static with a member;", by_hand.details())

    workflows = workflow_service_pb2_grpc.WorkflowServiceStub(channel)
    broken = json_format.Parse(WORKFLOW, workflows_pb2.Workflow())
    broken.steps[1].next = "nowhere"
    problems = workflows.ValidateWorkflow(workflow_service_pb2.ValidateWorkflowRequest(workflow=broken), metadata=metadata).problems
    assert any(p.code == "DANGLING_STEP" and p.path == "steps[1].next" and p.value == "nowhere" for p in problems), problems
    workflows.SaveWorkflow(workflow_service_pb2.SaveWorkflowRequest(workflow=json_format.Parse(WORKFLOW, workflows_pb2.Workflow())), metadata=metadata)
    on = workflows.SetWorkflowState(workflow_service_pb2.SetWorkflowStateRequest(workflow_id="tour", state=workflows_pb2.Workflow.ON), metadata=metadata)
    assert on.version == 1 and on.state == workflows_pb2.Workflow.ON
    print("workflow: on, version 1")

    outgoing = queue.Queue()
    outgoing.put(ingest_pb2.StreamRequest(hello=ingest_pb2.Hello(client="tour")))
    events = [form("e1", "ada@example.org", "80"), form("e2", "bob@example.org", "10"), form("e3", "cyd@example.org", "10"),
              events_pb2.Event(event_id="e4", object_type="contact", record_id="dan@example.org", writes=[text("score", "many")])]
    outgoing.put(ingest_pb2.StreamRequest(batch=ingest_pb2.Batch(sequence=1, events=events)))
    outgoing.put(ingest_pb2.StreamRequest(batch=ingest_pb2.Batch(sequence=2, events=[form("e1", "ada@example.org", "80")])))
    outgoing.put(None)
    acks = {}
    welcomed = False
    for response in ingest_pb2_grpc.IngestServiceStub(channel).Stream(iter(outgoing.get, None), metadata=metadata):
        welcomed |= response.HasField("welcome")
        for ack in response.acks.batches:
            acks[ack.sequence] = ack
    assert welcomed and set(acks) == {1, 2}, acks
    refused = acks[1].results[0]
    assert refused.index == 3 and refused.result.refusal.reason == events_pb2.Refusal.WRONG_TYPE, refused
    assert refused.result.refusal.path == "writes[0].value" and refused.result.refusal.value == "many", refused
    assert acks[2].results[0].result.code == events_pb2.EventResult.DUPLICATE
    print("ingest: 3 applied, 1 refused (WRONG_TYPE at writes[0].value), 1 duplicate")

    hot = lists.ListMembers(lists_pb2.ListMembersRequest(list_id="hot"), metadata=metadata).members
    assert [member.record_id for member in hot] == ["ada@example.org"], hot
    assert lists.GetList(lists_pb2.GetListRequest(list_id="hot"), metadata=metadata).members == 1

    credit = queue.Queue()
    credit.put(work_pb2.WorkRequest(hello=work_pb2.WorkHello(queue="mail", worker="tour", credit=10)))
    work = work_pb2_grpc.WorkServiceStub(channel).Work(iter(credit.get, None), metadata=metadata)
    done = set()
    for response in work:
        for task in response.tasks:
            assert task.key.startswith("tour/") and task.properties[0].name == "email", task
            credit.put(work_pb2.WorkRequest(completion=work_pb2.TaskCompletion(key=task.key, outcome=work_pb2.TaskCompletion.COMPLETED)))
        done.update(response.completed)
        if len(done) == 3:
            credit.put(None)
            break
    work.cancel()
    print("work: 3 mails sent")

    ingest = ingest_pb2_grpc.IngestServiceStub(channel)
    result = ingest.Ingest(ingest_pb2.IngestRequest(events=[events_pb2.Event(
        event_id="won", object_type="contact", record_id="cyd@example.org", writes=[text("lifecyclestage", "customer")])]), metadata=metadata).results[0]
    assert result.code == events_pb2.EventResult.APPLIED

    admin = admin_pb2_grpc.AdminServiceStub(channel)
    now = admin.GetStatus(admin_pb2.GetStatusRequest()).now
    later = Timestamp(seconds=now.seconds + 2 * 86400 + 60, nanos=now.nanos)

    def switch(state):
        request = workflow_service_pb2.SetWorkflowStateRequest(workflow_id="tour", state=state)
        assert workflows.SetWorkflowState(request, metadata=metadata).state == state
        admin.AdvanceClock(admin_pb2.AdvanceClockRequest(to=later))

    def statistics():
        return workflows.GetWorkflowStats(workflow_service_pb2.GetWorkflowStatsRequest(workflow_id="tour"), metadata=metadata)

    switch(workflows_pb2.Workflow.PAUSED)
    held = statistics()
    assert held.active == 2 and held.completed == 0, held
    switch(workflows_pb2.Workflow.ON)
    print("paused for two days: 2 held, and resumed")

    stats = statistics()
    branches = {b.name: b.count for s in stats.steps if s.step_id == "segment" for b in s.branches}
    assert stats.enrolled == 3 and branches == {"hot": 1, "default": 1}, stats
    assert [(u.name, u.count) for u in stats.unenrolled] == [("GOAL_MET", 1)], stats
    assert stats.active == 1 and stats.completed == 1, stats
    print("two days later: 1 hot, 1 cold, 1 left by its goal")

    records = records_pb2_grpc.RecordServiceStub(channel)
    timeline = records.GetTimeline(records_pb2.GetTimelineRequest(
        ref=contact("cyd@example.org")), metadata=metadata).entries
    kinds = [journal_pb2.JournalEntry.Kind.Name(e.kind) for e in timeline]
    assert kinds[0] == "ENROLLMENT_ENDED" and "GOAL_MET" in kinds and kinds[-1] == "RECORD_CREATED", kinds

    enrollments = enrollments_pb2_grpc.EnrollmentServiceStub(channel)
    again = enrollments.Enroll(enrollments_pb2.EnrollRequest(
        ref=contact("bob@example.org"), workflow_id="tour", request_id="r1"), metadata=metadata)
    assert again.decision == enrollments_pb2.Decision.REENROLLMENT_OFF, again
    why = enrollments.Explain(enrollments_pb2.ExplainRequest(ref=contact("eve@example.org"), workflow_id="tour"), metadata=metadata)
    assert why.decision_by_hand == enrollments_pb2.Decision.SUPPRESSED and any("quiet" in c.found for c in why.checks if not c.passes), why
    history = enrollments.GetEnrollmentHistory(
        enrollments_pb2.GetEnrollmentHistoryRequest(ref=contact("cyd@example.org"), workflow_id="tour"), metadata=metadata).entries
    assert [(h.decision, h.end_reason) for h in history] == [(0, enrollments_pb2.Enrollment.GOAL_MET), (enrollments_pb2.Decision.ENROLLED, 0)], history
    assert history[0].detail == "customer" and history[1].trigger == "event", history
    print("explain:", why.summary)
    expect_error(grpc.StatusCode.NOT_FOUND, lambda: records.GetRecord(
        records_pb2.GetRecordRequest(ref=contact("nobody")), metadata=metadata))
    late = expect_error(grpc.StatusCode.INVALID_ARGUMENT, lambda: admin.AdvanceClock(admin_pb2.AdvanceClockRequest(to=Timestamp(seconds=1))))
    assert "never goes back" in late.details(), late.details()

    pages = list(journal_pb2_grpc.JournalServiceStub(channel).ReadJournal(journal_pb2.ReadJournalRequest(), metadata=metadata))
    assert sum(1 for p in pages for e in p.entries if e.kind == journal_pb2.JournalEntry.ENROLLED) == 3
    verified = admin.Verify(admin_pb2.VerifyRequest())
    assert not verified.differences and verified.state_hash == verified.replay_hash, verified
    print("journal: read, counters and states verified")
    overload(channel, metadata)


if __name__ == "__main__":
    signal.alarm(60)
    main(sys.argv[1])
    print("tour done")
