using Roster.Protocol.Mapping;
using Roster.V1;

namespace Roster.Import;

/// <summary>How well a field of the source is kept (IMP-02).</summary>
public enum Fidelity
{
    /// <summary>The workflow says the same.</summary>
    Exact = 0,

    /// <summary>The workflow says it in another way, or leaves something for people to do; the reason says what.</summary>
    Adapted = 1,

    /// <summary>The workflow does not say it. Where that would change who enrolls or what happens, publishing is refused until it is replaced.</summary>
    Unsupported = 2,
}

/// <summary>What kind of remark a finding is. Names and numbers are stable.</summary>
public enum FindingCode
{
    /// <summary>No remark: the field is kept as it is.</summary>
    None = 0,

    /// <summary>The import does not know this field, so nothing came of it.</summary>
    UnknownField = 1,

    /// <summary>The field is known, its value is not.</summary>
    UnknownValue = 2,

    /// <summary>The value is of another JSON type than it should be, or cannot be read.</summary>
    WrongType = 3,

    /// <summary>The same field stands twice in one object; the last counts.</summary>
    DuplicateField = 4,

    /// <summary>A field that should be there is not.</summary>
    Missing = 5,

    /// <summary>There is nothing like it here.</summary>
    NoCounterpart = 6,

    /// <summary>Written in another way, with the same effect.</summary>
    Rewritten = 7,

    /// <summary>Under another name here.</summary>
    Renamed = 8,

    /// <summary>Becomes a task that a worker has to carry out.</summary>
    HandedToWorker = 9,

    /// <summary>An action of a kind that the import does not know: an incomplete step that keeps the source (IMP-05).</summary>
    UnknownAction = 10,

    /// <summary>A known action with settings that have no counterpart: an incomplete step that keeps the source.</summary>
    IncompleteAction = 11,

    /// <summary>A connection to an action that does not exist.</summary>
    DanglingConnection = 12,

    /// <summary>No path leads to this action.</summary>
    UnreachableAction = 13,

    /// <summary>Two actions have one id.</summary>
    DuplicateAction = 14,

    /// <summary>A branch without a default: who no branch accepts completes there (BRA-03).</summary>
    NoDefault = 15,

    /// <summary>The workflow was on; a draft is off (IMP-01).</summary>
    NotTurnedOn = 16,

    /// <summary>A re-enrollment trigger that is not allowed here (REN-06), and is left out.</summary>
    NotInReenrollment = 17,

    /// <summary>Bookkeeping of the other system without effect on what the workflow does.</summary>
    Bookkeeping = 18,

    /// <summary>A connection that merges or loops: a go-to step of its own (BRA-06).</summary>
    GoTo = 19,
}

/// <summary>A remark on one place of the source.</summary>
/// <param name="Level">How well it is kept.</param>
/// <param name="Path">JSON path in the source: <c>actions[3].fields.delta</c>.</param>
/// <param name="Code">What kind of remark it is.</param>
/// <param name="Value">The value in question, cut to 100 characters; empty for objects and for what is missing.</param>
/// <param name="Reason">One sentence for a person; empty without a remark.</param>
public sealed record Finding(Fidelity Level, string Path, FindingCode Code, string Value, string Reason)
{
    /// <summary>The level in lower case: <c>unsupported</c>.</summary>
    public string LevelName => Level.ToString().ToLowerInvariant();

    /// <summary>The code as APIs write it: <c>UNKNOWN_FIELD</c>.</summary>
    public string CodeName => JournalMapping.ApiName(Code.ToString());
}

/// <summary>What became of each field of a source (IMP-02).</summary>
/// <param name="Fields">Every field of the source that has a value of its own, in the order of the source.</param>
/// <param name="Notes">Remarks on whole objects and on what is missing.</param>
public sealed record FidelityReport(IReadOnlyList<Finding> Fields, IReadOnlyList<Finding> Notes)
{
    /// <summary>Fields that are kept as they are.</summary>
    public int Exact => Count(Fidelity.Exact);

    /// <summary>Fields that are kept in another way.</summary>
    public int Adapted => Count(Fidelity.Adapted);

    /// <summary>Fields that are not kept.</summary>
    public int Unsupported => Count(Fidelity.Unsupported);

    /// <summary>What a person should read: the notes, and the fields with a remark of their own. Worst first.</summary>
    public IEnumerable<Finding> Remarks() => Notes
        .Concat(Fields.Where(field => field.Code != FindingCode.None && !Notes.Any(note => Covers(note, field))))
        .OrderByDescending(finding => finding.Level);

    // A field below an object that has the same remark is not said again.
    private static bool Covers(Finding note, Finding field) =>
        note.Code == field.Code && note.Reason == field.Reason && field.Path.StartsWith(note.Path, StringComparison.Ordinal)
        && field.Path.Length > note.Path.Length && field.Path[note.Path.Length] is '.' or '[';

    private int Count(Fidelity level) => Fields.Count(field => field.Level == level);
}

/// <summary>A workflow that was imported: a draft (IMP-01), and how well it keeps the source.</summary>
/// <param name="Workflow">The definition. It is complete and can be published when nothing is unsupported and what it names exists.</param>
/// <param name="Report">What became of each field.</param>
public sealed record ImportedWorkflow(Workflow Workflow, FidelityReport Report);

/// <summary>A text that is no definition at all.</summary>
/// <param name="message">One sentence that says what is wrong and where.</param>
public sealed class ImportException(string message) : Exception(message);
