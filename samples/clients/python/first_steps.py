"""Events in, a task out, with nothing but the public protos and grpcio.

    python3 first_steps.py 127.0.0.1:7400      # with the generated modules on PYTHONPATH, see README.md
"""

import queue
import sys

import grpc

from roster.v1 import events_pb2, ingest_pb2, ingest_pb2_grpc, tenants_pb2, tenants_pb2_grpc
from roster.v1 import values_pb2, work_pb2, work_pb2_grpc, workflow_service_pb2, workflow_service_pb2_grpc, workflows_pb2
from google.protobuf import json_format

WORKFLOW = {
    "id": "welcome",
    "object_type": "contact",
    "start": {"event": {"any_of": [{"event_type": "signed_up", "allow_new_record": True}]}},
    "steps": [{"id": "mail", "worker": {"queue": "mail", "properties": ["email"]}}],
}


def main(address):
    channel = grpc.insecure_channel(address)
    tenant = (("roster-tenant", "python-example"),)

    # What there is: a property, and a workflow that is on. Doing it again changes nothing.
    tenants_pb2_grpc.TenantServiceStub(channel).DeclareProperties(tenants_pb2.DeclarePropertiesRequest(
        object_type="contact",
        properties=[tenants_pb2.PropertyDefinition(name="email", type=values_pb2.PropertyType.STRING)]), metadata=tenant)
    workflows = workflow_service_pb2_grpc.WorkflowServiceStub(channel)
    workflow = json_format.ParseDict(WORKFLOW, workflows_pb2.Workflow())
    workflows.SaveWorkflow(workflow_service_pb2.SaveWorkflowRequest(workflow=workflow, force=True), metadata=tenant)
    workflows.SetWorkflowState(
        workflow_service_pb2.SetWorkflowStateRequest(workflow_id="welcome", state=workflows_pb2.Workflow.ON), metadata=tenant)

    # Events in one call. The answer comes when they are durable; sent again, they are known and do nothing.
    people = [f"person{i}@example.org" for i in range(3)]
    events = [events_pb2.Event(
        event_id=f"sign-up-{person}", object_type="contact", record_id=person, type="signed_up",
        writes=[values_pb2.PropertyValue(name="email", value=values_pb2.Value(text=person))]) for person in people]
    answer = ingest_pb2_grpc.IngestServiceStub(channel).Ingest(
        ingest_pb2.IngestRequest(events=events), metadata=tenant, timeout=10)
    codes = [events_pb2.EventResult.Code.Name(result.code) for result in answer.results]
    print("events:", ", ".join(codes))

    # A worker: it says how many tasks it can take, does them, and reports each. A task may come twice, with the same key.
    requests = queue.Queue()
    requests.put(work_pb2.WorkRequest(hello=work_pb2.WorkHello(queue="mail", worker="python-example", credit=10)))
    stream = work_pb2_grpc.WorkServiceStub(channel).Work(iter(requests.get, None), metadata=tenant)
    expected = codes.count("APPLIED")
    done = 0
    while done < expected:
        response = next(stream)
        for task in response.tasks:
            print("mail to", task.properties[0].value.text)
            requests.put(work_pb2.WorkRequest(completion=work_pb2.TaskCompletion(
                key=task.key, outcome=work_pb2.TaskCompletion.COMPLETED)))
        done += len(response.completed)
    requests.put(None)
    stream.cancel()

    stats = workflows.GetWorkflowStats(workflow_service_pb2.GetWorkflowStatsRequest(workflow_id="welcome"), metadata=tenant)
    print(f"welcome: {stats.enrolled} enrolled, {stats.completed} completed")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7400")
