namespace Roster.Core.Schema;

/// <summary>Properties of the tasks and notes that steps create (ACT-24).</summary>
public static class TaskProperties
{
    /// <summary>Title of a task.</summary>
    public const string Title = "title";

    /// <summary>Text of a task or note.</summary>
    public const string Body = "body";

    /// <summary>When a task is due.</summary>
    public const string DueAt = "due_at";

    /// <summary>Of a task of a sequence: what is to be done, such as <c>CALL</c> (SEQ-06).</summary>
    public const string Type = "task_type";

    /// <summary>Of a task of a sequence: the user who owns the sequence.</summary>
    public const string Owner = "owner";
}
