namespace Roster.Cluster.Contracts;

/// <summary>The answer of a grain: a message, or the refusal of the whole request. Exceptions of the engine do not travel.</summary>
[GenerateSerializer]
[Alias("roster.reply")]
[Immutable]
public sealed class GrainReply
{
    /// <summary>The response message, in its protobuf encoding; null when the request was refused.</summary>
    [Id(0)]
    public byte[]? Content { get; init; }

    /// <summary>Number of the <see cref="Engine.RosterError"/> when it was refused.</summary>
    [Id(1)]
    public int Error { get; init; }

    /// <summary>Why it was refused.</summary>
    [Id(2)]
    public string Message { get; init; } = string.Empty;

    /// <summary>The field in question, message <c>roster.v1.Refusal</c>; null when there is none.</summary>
    [Id(3)]
    public byte[]? Refusal { get; init; }

    /// <summary>What is wrong with a definition, message <c>roster.v1.ValidateWorkflowResponse</c>; null when it is not about one.</summary>
    [Id(4)]
    public byte[]? Problems { get; init; }

    /// <summary>When it may be worth another try, in milliseconds.</summary>
    [Id(5)]
    public long RetryAfterMs { get; init; }

    /// <summary>Several messages in their protobuf encoding, for calls that answer with a list; null for others.</summary>
    [Id(6)]
    public byte[][]? Parts { get; init; }
}

/// <summary>What became durable at a silo (<see cref="Engine.Hosting.DurableNotice"/>).</summary>
[GenerateSerializer]
[Alias("roster.notice")]
[Immutable]
public sealed class NoticeMessage
{
    /// <summary>Tenants of <see cref="Queues"/>.</summary>
    [Id(0)]
    public int[] QueueTenants { get; init; } = [];

    /// <summary>Queues that got effects.</summary>
    [Id(1)]
    public string[] Queues { get; init; } = [];

    /// <summary>Record, enrollment, step, execution of effects that are gone, and 1 for those that were withdrawn, by turns.</summary>
    [Id(2)]
    public long[] Removed { get; init; } = [];

    /// <summary>Whether jobs were stored that nobody has begun.</summary>
    [Id(3)]
    public bool HasJobs { get; init; }
}

/// <summary>Leases of tasks: to be taken, kept or given back.</summary>
[GenerateSerializer]
[Alias("roster.lease")]
[Immutable]
public sealed class LeaseMessage
{
    /// <summary>The tenant.</summary>
    [Id(0)]
    public string Tenant { get; init; } = string.Empty;

    /// <summary>The queue.</summary>
    [Id(1)]
    public string Queue { get; init; } = string.Empty;

    /// <summary>Whose leases they are.</summary>
    [Id(2)]
    public string Owner { get; init; } = string.Empty;

    /// <summary>Most tasks to lease.</summary>
    [Id(3)]
    public int TasksMax { get; init; }

    /// <summary>How long a lease lasts, in milliseconds.</summary>
    [Id(4)]
    public long LeaseForMs { get; init; }

    /// <summary>Keys of the leases to keep; empty for all.</summary>
    [Id(5)]
    public string[] Keys { get; init; } = [];
}

/// <summary>What the conductor remembers of itself.</summary>
[GenerateSerializer]
[Alias("roster.conductor-state")]
public sealed class ConductorState
{
    /// <summary>How often it came to life. Two that do at once cannot both write it.</summary>
    [Id(0)]
    public long Term { get; set; }
}
