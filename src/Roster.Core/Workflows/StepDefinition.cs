using Roster.Core.Calendars;
using Roster.Core.Sequences;

namespace Roster.Core.Workflows;

/// <summary>A step.</summary>
public abstract record StepDefinition(string Id, string Next)
{
    /// <summary>In a date-anchored workflow: when the action runs (SCH-06).</summary>
    public AnchorOffsetDefinition? At { get; init; }

    /// <summary>What a failure of the action does (ERR-01, ERR-02).</summary>
    public FailurePolicy OnFailure { get; init; }

    /// <summary>Where a failure goes with <see cref="FailurePolicy.Branch"/>; empty for the end.</summary>
    public string ErrorNext { get; init; } = string.Empty;

    /// <summary>In a sequence: the delay before it (SEQ-07); null in workflows.</summary>
    public SequenceDelayDefinition? Lead { get; init; }
}

/// <summary>What the failure of an action does (ERR-01, ERR-02). Numbers equal those of <c>roster.v1.Step.OnFailure</c>.</summary>
public enum FailurePolicy
{
    /// <summary>Not said: continue.</summary>
    None = 0,

    /// <summary>The enrollment goes on with the next step.</summary>
    Continue = 1,

    /// <summary>The enrollment ends with <c>ACTION_FAILED</c>.</summary>
    End = 2,

    /// <summary>The enrollment takes the error path.</summary>
    Branch = 3,
}

/// <summary>An offset to an anchor.</summary>
public sealed record AnchorOffsetDefinition(int OffsetDays, string TimeOfDay);

/// <summary>A step without a kind: incomplete (ACT-09).</summary>
public sealed record IncompleteStepDefinition(string Id, string Next) : StepDefinition(Id, Next);

/// <summary>Units of delays. Numbers equal those of <c>roster.v1.Delay.Unit</c>.</summary>
public enum DelayUnit
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>Elapsed minutes.</summary>
    Minutes = 1,

    /// <summary>Elapsed hours.</summary>
    Hours = 2,

    /// <summary>Calendar days.</summary>
    Days = 3,

    /// <summary>Calendar weeks.</summary>
    Weeks = 4,

    /// <summary>Business days (DLY-06).</summary>
    BusinessDays = 5,
}

/// <summary>A delay's setting (DLY-02 to DLY-11).</summary>
public sealed record DelayDefinition(int? Amount, DelayUnit Unit)
{
    /// <summary>Until this date (DLY-07).</summary>
    public string Date { get; init; } = string.Empty;

    /// <summary>Until this property (DLY-08).</summary>
    public PropertyDateDefinition? Property { get; init; }

    /// <summary>Time of day, <c>09:00</c>.</summary>
    public string TimeOfDay { get; init; } = string.Empty;

    /// <summary>Days that fit; none for all.</summary>
    public Weekdays Weekdays { get; init; }

    /// <summary>Zone; empty for the workflow's.</summary>
    public string TimeZone { get; init; } = string.Empty;

    /// <summary>Property that holds the zone (DLY-19).</summary>
    public string TimeZoneProperty { get; init; } = string.Empty;
}

/// <summary>A date relative to a property (DLY-08).</summary>
public sealed record PropertyDateDefinition(string Property, int OffsetDays, int OffsetHours, bool FollowProperty);

/// <summary>A delay.</summary>
public sealed record DelayStepDefinition(string Id, string Next, int? Amount, DelayUnit Unit) : StepDefinition(Id, Next)
{
    /// <summary>The whole setting.</summary>
    public DelayDefinition Delay { get; init; } = new(Amount, Unit);

    /// <summary>Where a missed date delay goes (DLY-09); empty for next.</summary>
    public string MissedNext { get; init; } = string.Empty;
}

/// <summary>A wait for an event or criteria (DLY-12 to DLY-15).</summary>
public sealed record WaitStepDefinition(string Id, string Next, IReadOnlyList<EventTriggerDefinition> Events, CriteriaDefinition? Criteria) : StepDefinition(Id, Next)
{
    /// <summary>DLY-13.</summary>
    public bool Lookback { get; init; }

    /// <summary>DLY-14; null for none.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Where a timeout goes; empty for next.</summary>
    public string TimeoutNext { get; init; } = string.Empty;
}

/// <summary>An if/then branch.</summary>
public sealed record BranchStepDefinition(string Id, string Next, IReadOnlyList<IfBranchDefinition> Branches, string DefaultNext) : StepDefinition(Id, Next);

/// <summary>One way out of a branch.</summary>
public sealed record IfBranchDefinition(string Name, CriteriaDefinition? Criteria, string Next);

/// <summary>A branch by value (BRA-02).</summary>
public sealed record ValueBranchStepDefinition(string Id, string Next, string Property, IReadOnlyList<ValueCaseDefinition> Cases, string DefaultNext) : StepDefinition(Id, Next)
{
    /// <summary>Takes an output instead of a property.</summary>
    public StepOutputDefinition? Output { get; init; }
}

/// <summary>One value and its path.</summary>
public sealed record ValueCaseDefinition(string Value, string Next);

/// <summary>A random split (BRA-04).</summary>
public sealed record SplitStepDefinition(string Id, string Next, IReadOnlyList<SplitPathDefinition> Paths, bool Sticky) : StepDefinition(Id, Next);

/// <summary>One path of a split.</summary>
public sealed record SplitPathDefinition(string Name, int? Percent, string Next);

/// <summary>A go-to (BRA-06).</summary>
public sealed record GoToStepDefinition(string Id, string Next, string Step) : StepDefinition(Id, Next);

/// <summary>How a value is written (ACT-20). Numbers equal those of <c>roster.v1.SetProperty.Mode</c>.</summary>
public enum SetMode
{
    /// <summary>Not said: set.</summary>
    None = 0,

    /// <summary>Replaces.</summary>
    Set = 1,

    /// <summary>Adds to a number.</summary>
    Increment = 2,

    /// <summary>Adds to a set or a text.</summary>
    Append = 3,

    /// <summary>Writes the turn time.</summary>
    Timestamp = 4,
}

/// <summary>Writes a property.</summary>
public sealed record SetPropertyStepDefinition(string Id, string Next, string Property, string Value, bool Clear) : StepDefinition(Id, Next)
{
    /// <summary>How.</summary>
    public SetMode Mode { get; init; } = SetMode.Set;

    /// <summary>Where the value comes from; null for <see cref="Value"/>.</summary>
    public ValueSourceDefinition? Source { get; init; }

    /// <summary>Associated records to write to; empty for the enrolled one.</summary>
    public string DataSource { get; init; } = string.Empty;
}

/// <summary>Hands a task to a worker.</summary>
public sealed record WorkerStepDefinition(
    string Id, string Next, string Queue, IReadOnlyList<KeyValuePair<string, string>> Fields, IReadOnlyList<string> Properties, bool Wait, TimeSpan? Timeout) : StepDefinition(Id, Next)
{
    /// <summary>Whether it sends a marketing e-mail (GOAL-06).</summary>
    public bool MarketingEmail { get; init; }

    /// <summary>How often it is tried.</summary>
    public RetryDefinition? Retry { get; init; }

    /// <summary>How long a blocked task waits for its callback (ACT-62); null for the default.</summary>
    public TimeSpan? BlockExpiry { get; init; }

    /// <summary>How long a worker may hold the task (ERR-08); null for what the worker asks for.</summary>
    public TimeSpan? LeaseFor { get; init; }
}

/// <summary>How often an external action is tried (ERR-06); null for the default of each.</summary>
public sealed record RetryDefinition(TimeSpan? RetryFor, TimeSpan? GapFirst, TimeSpan? GapMax);

/// <summary>Methods of requests. Numbers equal those of <c>roster.v1.Webhook.Method</c>.</summary>
public enum WebhookMethod
{
    /// <summary>Not said: POST.</summary>
    None = 0,

    /// <summary>POST.</summary>
    Post = 1,

    /// <summary>PUT.</summary>
    Put = 2,

    /// <summary>PATCH.</summary>
    Patch = 3,

    /// <summary>GET, without a body.</summary>
    Get = 4,

    /// <summary>DELETE, without a body.</summary>
    Delete = 5,
}

/// <summary>Calls a registered endpoint (ACT-60).</summary>
public sealed record WebhookStepDefinition(string Id, string Next, string Endpoint, WebhookMethod Method, string Path) : StepDefinition(Id, Next)
{
    /// <summary>The query: names and texts with tokens.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Query { get; init; } = [];

    /// <summary>Headers: names and texts with tokens.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Fields of the body: names and texts with tokens.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Fields { get; init; } = [];

    /// <summary>Properties of the record in the body.</summary>
    public IReadOnlyList<string> Properties { get; init; } = [];

    /// <summary>Whether the body has the properties of the event that enrolled the record.</summary>
    public bool SendsEvent { get; init; } = true;

    /// <summary>Whether the enrollment waits (ACT-02).</summary>
    public bool Wait { get; init; } = true;

    /// <summary>How long it waits (ERR-08); null for the default.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How often it is tried.</summary>
    public RetryDefinition? Retry { get; init; }
}

/// <summary>Channels of messages. Numbers equal those of <c>roster.v1.SendMessage.Channel</c>.</summary>
public enum MessageChannel
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>Marketing e-mail (ACT-12).</summary>
    MarketingEmail = 1,

    /// <summary>E-mail to colleagues (ACT-13).</summary>
    InternalEmail = 2,

    /// <summary>In-app notification (ACT-13).</summary>
    Notification = 3,

    /// <summary>Sales e-mail (ACT-14).</summary>
    SalesEmail = 4,

    /// <summary>SMS (ACT-14).</summary>
    Sms = 5,

    /// <summary>WhatsApp (ACT-14).</summary>
    WhatsApp = 6,

    /// <summary>Slack (ACT-14).</summary>
    Slack = 7,

    /// <summary>Chat, and routing of conversations (ACT-14).</summary>
    Chat = 8,

    /// <summary>Survey (ACT-15).</summary>
    Survey = 9,
}

/// <summary>Sends a message to people (ACT-12 to ACT-15).</summary>
public sealed record MessageStepDefinition(string Id, string Next, MessageChannel Channel) : StepDefinition(Id, Next)
{
    /// <summary>Whom it goes to: texts with tokens; none for the address of the record.</summary>
    public IReadOnlyList<string> To { get; init; } = [];

    /// <summary>Associated record that it goes to; empty for the enrolled one.</summary>
    public string DataSource { get; init; } = string.Empty;

    /// <summary>Property with the address; empty for the channel's own.</summary>
    public string AddressProperty { get; init; } = string.Empty;

    /// <summary>Subscription whose consent is asked; empty for that of the channel alone.</summary>
    public string Subscription { get; init; } = string.Empty;

    /// <summary>Parts of the message: <c>from</c>, <c>reply_to</c>, <c>subject</c>, <c>text</c>, <c>html</c>, <c>template</c>; texts with tokens.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parts { get; init; } = [];

    /// <summary>Further fields of the task: texts with tokens.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Fields { get; init; } = [];

    /// <summary>Queue of the workers that send it; empty for the engine's own mail.</summary>
    public string Queue { get; init; } = string.Empty;

    /// <summary>Whether the enrollment waits (ACT-02).</summary>
    public bool Wait { get; init; } = true;

    /// <summary>How long it waits (ERR-08); null for the default.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How often it is tried.</summary>
    public RetryDefinition? Retry { get; init; }

    /// <summary>How long a worker may hold the task (ERR-08); null for what the worker asks for.</summary>
    public TimeSpan? LeaseFor { get; init; }
}

/// <summary>Changes consent, the marketing status or the campaign of the record (ACT-42). One of them.</summary>
public sealed record ConsentStepDefinition(string Id, string Next) : StepDefinition(Id, Next)
{
    /// <summary>The subscription; empty for none.</summary>
    public string Subscription { get; init; } = string.Empty;

    /// <summary>Its new state: <c>SUBSCRIBED</c>, <c>UNSUBSCRIBED</c>, <c>GRANTED</c>, <c>NOT_GRANTED</c>.</summary>
    public string State { get; init; } = string.Empty;

    /// <summary>Whether the record is a marketing contact; null for no change.</summary>
    public bool? IsMarketingContact { get; init; }

    /// <summary>The campaign it is associated with; empty for none.</summary>
    public string Campaign { get; init; } = string.Empty;
}

/// <summary>Runs code in a worker (ACT-61).</summary>
public sealed record CodeStepDefinition(string Id, string Next, string Queue, string Language, string Source) : StepDefinition(Id, Next)
{
    /// <summary>Inputs: names and texts with tokens.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Inputs { get; init; } = [];

    /// <summary>Whether the enrollment waits (ACT-02).</summary>
    public bool Wait { get; init; } = true;

    /// <summary>How long it waits (ERR-08); null for the default.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How often it is tried.</summary>
    public RetryDefinition? Retry { get; init; }

    /// <summary>How long a worker may hold the task (ERR-08); null for what the worker asks for.</summary>
    public TimeSpan? LeaseFor { get; init; }
}

/// <summary>Enrolls in, or takes out of, another workflow (ACT-50).</summary>
public sealed record OtherWorkflowStepDefinition(string Id, string Next, string WorkflowId, bool Enrolls) : StepDefinition(Id, Next);

/// <summary>Enrolls in a sequence, or takes out of one, or out of any when it names none (ACT-51).</summary>
public sealed record OtherSequenceStepDefinition(string Id, string Next, string SequenceId, bool Enrolls) : StepDefinition(Id, Next);

/// <summary>Adds to, or takes off, a static list (ACT-40, ACT-41).</summary>
public sealed record ListStepDefinition(string Id, string Next, string ListId, bool Adds) : StepDefinition(Id, Next);

/// <summary>Where a value comes from (ACT-06).</summary>
public abstract record ValueSourceDefinition;

/// <summary>A text with tokens (ACT-07).</summary>
public sealed record TextSourceDefinition(string Text) : ValueSourceDefinition;

/// <summary>A property of the record.</summary>
public sealed record PropertySourceDefinition(string Property) : ValueSourceDefinition;

/// <summary>An output of an earlier step.</summary>
public sealed record StepOutputDefinition(string Step, string Name) : ValueSourceDefinition;

/// <summary>A property of an associated record (ASC-06).</summary>
public sealed record AssociatedSourceDefinition(string DataSource, string Property) : ValueSourceDefinition;

/// <summary>A property of the enrolling event.</summary>
public sealed record EventSourceDefinition(string Property) : ValueSourceDefinition;

/// <summary>The turn time plus days.</summary>
public sealed record NowSourceDefinition(int OffsetDays) : ValueSourceDefinition;

/// <summary>Functions of format data (ACT-64). Numbers equal those of <c>roster.v1.FormatData.Function</c>.</summary>
public enum FormatFunction
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>Upper case.</summary>
    Upper = 1,

    /// <summary>Lower case.</summary>
    Lower = 2,

    /// <summary>Without white space at the ends.</summary>
    Trim = 3,

    /// <summary>Each word with a capital.</summary>
    TitleCase = 4,

    /// <summary>Plus.</summary>
    Add = 5,

    /// <summary>Times.</summary>
    Multiply = 6,

    /// <summary>Rounded.</summary>
    Round = 7,

    /// <summary>Date plus days.</summary>
    AddDays = 8,

    /// <summary>Date as text.</summary>
    FormatDate = 9,

    /// <summary>Text followed by text.</summary>
    Concat = 10,
}

/// <summary>Computes a value (ACT-64).</summary>
public sealed record FormatStepDefinition(string Id, string Next, ValueSourceDefinition? Input, IReadOnlyList<FormatCallDefinition> Functions, string Property) : StepDefinition(Id, Next);

/// <summary>One function with its argument.</summary>
public sealed record FormatCallDefinition(FormatFunction Function, string Argument);

/// <summary>A property and where its value comes from.</summary>
public sealed record AssignmentDefinition(string Property, ValueSourceDefinition? Value);

/// <summary>Creates a record (ACT-22).</summary>
public sealed record CreateRecordStepDefinition(string Id, string Next, string ObjectType, IReadOnlyList<AssignmentDefinition> Properties, string Label) : StepDefinition(Id, Next);

/// <summary>Creates a task (ACT-24), and may wait for it (ACT-25).</summary>
public sealed record CreateTaskStepDefinition(string Id, string Next, string Title, string Body, DelayDefinition? Due, bool Wait) : StepDefinition(Id, Next)
{
    /// <summary>How long to wait; null for no bound.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Where a timeout goes; empty for next.</summary>
    public string TimeoutNext { get; init; } = string.Empty;

    /// <summary>In a sequence: what is to be done (SEQ-06).</summary>
    public SequenceTaskKind Kind { get; init; }
}

/// <summary>Creates a note (ACT-24).</summary>
public sealed record CreateNoteStepDefinition(string Id, string Next, string Body) : StepDefinition(Id, Next);

/// <summary>Assigns an owner (ACT-26).</summary>
public sealed record RotateOwnerStepDefinition(string Id, string Next, IReadOnlyList<string> Users, string Property, bool Overwrite) : StepDefinition(Id, Next);

/// <summary>Associates (ACT-27).</summary>
public sealed record AssociateStepDefinition(string Id, string Next, string ObjectType, ValueSourceDefinition? RecordId, string Label) : StepDefinition(Id, Next);

/// <summary>Removes associations (ACT-27).</summary>
public sealed record DissociateStepDefinition(string Id, string Next, string ObjectType, ValueSourceDefinition? RecordId, string Label) : StepDefinition(Id, Next);

/// <summary>Deletes the record (ACT-28).</summary>
public sealed record DeleteRecordStepDefinition(string Id, string Next) : StepDefinition(Id, Next);
