using Roster.V1;

namespace Roster.Server.Tests;

public static class TestEvents
{
    public static Event New(string id, string record = "ada") => new() { EventId = id, ObjectType = "contact", RecordId = record };
}
