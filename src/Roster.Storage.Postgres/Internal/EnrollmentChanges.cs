using System.Runtime.InteropServices;
using Roster.Core.Journal;
using Roster.Core.Packing;

namespace Roster.Storage.Postgres.Internal;

/// <summary>
/// Which enrollments the turns of a batch begin and end, read from their skeletons. Only the net of a batch is written: most enrollments
/// in a workflow without a delay begin and end in one turn.
/// </summary>
internal sealed class EnrollmentChanges
{
    private const int EntryField = 10;
    private const int KindField = 1;
    private const int WorkflowField = 2;
    private readonly Dictionary<(int Tenant, int Workflow, long Record), (bool WasActive, bool IsActive)> _changes = [];

    public Rows Begun { get; } = new();

    public Rows Ended { get; } = new();

    public void Clear()
    {
        _changes.Clear();
        Begun.Clear();
        Ended.Clear();
    }

    /// <summary>Notes what a turn that is no conflict does.</summary>
    /// <exception cref="InvalidOperationException">It begins an enrollment that is active or ends one that is not.</exception>
    public void Add(int tenant, long record, ReadOnlySpan<byte> skeleton)
    {
        var reader = new PackedReader(skeleton);
        while (reader.Next(out var field))
        {
            if (field != EntryField)
            {
                reader.Skip();
                continue;
            }

            var (kind, workflow) = ReadEntry(reader.Bytes());
            if (kind is EntryKind.Enrolled or EntryKind.EnrollmentEnded)
            {
                Note(tenant, workflow, record, kind == EntryKind.Enrolled);
            }
        }
    }

    /// <summary>Fills <see cref="Begun"/> and <see cref="Ended"/>.</summary>
    public void Settle()
    {
        foreach (var ((tenant, workflow, record), (wasActive, isActive)) in _changes)
        {
            if (wasActive != isActive)
            {
                (isActive ? Begun : Ended).Add(tenant, workflow, record);
            }
        }
    }

    /// <summary>Kind and workflow are the first fields of an entry; a canonical encoding need not be read further.</summary>
    private static (EntryKind Kind, int Workflow) ReadEntry(ReadOnlySpan<byte> entry)
    {
        var (kind, workflow) = (EntryKind.None, 0);
        var reader = new PackedReader(entry);
        while (reader.Next(out var field) && field <= WorkflowField)
        {
            if (field == KindField)
            {
                kind = (EntryKind)reader.Int();
            }
            else
            {
                workflow = reader.Int();
            }
        }

        return (kind, workflow);
    }

    private void Note(int tenant, int workflow, long record, bool begins)
    {
        ref var change = ref CollectionsMarshal.GetValueRefOrAddDefault(_changes, (tenant, workflow, record), out var isKnown);
        if (isKnown && change.IsActive == begins)
        {
            throw new InvalidOperationException(
                $"A turn of record {record} {(begins ? "begins an enrollment in" : "ends no active enrollment of")} workflow {workflow} of tenant {tenant}: a record has at most one active enrollment per workflow.");
        }

        change = (isKnown ? change.WasActive : !begins, begins);
    }

    /// <summary>Rows of the table <c>enrollments</c>, by column.</summary>
    internal sealed class Rows
    {
        public List<int> Tenants { get; } = [];

        public List<int> Workflows { get; } = [];

        public List<long> Records { get; } = [];

        public void Add(int tenant, int workflow, long record)
        {
            Tenants.Add(tenant);
            Workflows.Add(workflow);
            Records.Add(record);
        }

        public void Clear()
        {
            Tenants.Clear();
            Workflows.Clear();
            Records.Clear();
        }
    }
}
