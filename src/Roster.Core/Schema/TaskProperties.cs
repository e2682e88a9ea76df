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
}
