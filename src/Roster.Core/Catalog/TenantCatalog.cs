using System.Collections.Frozen;
using System.Collections.Immutable;
using Roster.Core.Calendars;
using Roster.Core.Schema;
using Roster.Core.Sequences;
using Roster.Core.Workflows;

namespace Roster.Core.Catalog;

/// <summary>
/// An immutable snapshot of a tenant's schema, lists and published workflows, indexed by what can trigger them: a turn looks candidates
/// up and never scans all workflows.
/// </summary>
public sealed class TenantCatalog
{
    private readonly Dictionary<int, CompiledWorkflow> _byNumber;
    private readonly Dictionary<int, int> _order;
    private readonly Dictionary<(int Workflow, int Version), CompiledWorkflow> _older;
    private readonly Dictionary<int, CompiledList> _lists;
    private readonly ObjectTypeCatalog[] _byType;
    private readonly FrozenSet<int> _sequences;
    private readonly FrozenDictionary<string, InboxInfo> _inboxes;

    /// <summary>Creates a snapshot.</summary>
    /// <param name="tenant">Number of the tenant.</param>
    /// <param name="tenantId">Name of the tenant.</param>
    /// <param name="version">Rises with every change.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="workflows">Published workflows, in any order, each in its newest version.</param>
    /// <param name="lists">Lists, in any order.</param>
    /// <param name="older">Older versions that enrollments may be pinned to (EDT-11).</param>
    /// <param name="sequences">Numbers of all sequences, also of those that were deleted; they are among the workflows while they are not.</param>
    /// <param name="inboxes">The inboxes of users (SEQ-01).</param>
    public TenantCatalog(
        int tenant, string tenantId, long version, TenantSchema schema, IEnumerable<CompiledWorkflow> workflows, IEnumerable<CompiledList>? lists = null, IEnumerable<CompiledWorkflow>? older = null,
        IEnumerable<int>? sequences = null, IEnumerable<InboxInfo>? inboxes = null)
    {
        ArgumentNullException.ThrowIfNull(schema);
        Tenant = tenant;
        TenantId = tenantId;
        Version = version;
        Schema = schema;
        Workflows = [.. workflows.OrderBy(w => w.Identity.CreatedAt).ThenBy(w => w.Identity.Id, StringComparer.Ordinal)];
        _byNumber = Workflows.ToDictionary(w => w.Number);
        _order = Workflows.Select((w, i) => (w.Number, i)).ToDictionary(w => w.Number, w => w.i);
        _older = (older ?? []).ToDictionary(w => (w.Number, w.Version));
        _lists = (lists ?? []).ToDictionary(l => l.Info.Number);
        _sequences = (sequences ?? []).ToFrozenSet();
        _inboxes = (inboxes ?? []).ToFrozenDictionary(i => i.User, StringComparer.Ordinal);
        Business = new BusinessCalendar(schema.Settings.BusinessDays, schema.Settings.Holidays.ToFrozenSet());
        Copies = new CopyPlan([.. Workflows, .. _older.Values], _lists.Values);
        SendsMessages = !Copies.IsEmpty || Workflows.Any(w => w.SendsMessages);
        _byType = [.. schema.ObjectTypes.Select(type => new ObjectTypeCatalog(type, schema, Workflows, [.. _older.Values], _lists.Values, Copies))];
    }

    /// <summary>Number of the tenant.</summary>
    public int Tenant { get; }

    /// <summary>Name of the tenant.</summary>
    public string TenantId { get; }

    /// <summary>Rises with every change.</summary>
    public long Version { get; }

    /// <summary>The schema.</summary>
    public TenantSchema Schema { get; }

    /// <summary>Published workflows by ascending creation time, then id (ENG-05).</summary>
    public ImmutableArray<CompiledWorkflow> Workflows { get; }

    /// <summary>What records keep of the records that they are linked to (ASC-04).</summary>
    public CopyPlan Copies { get; }

    /// <summary>Whether records send each other messages: because copies are kept, or because steps concern other records.</summary>
    public bool SendsMessages { get; }

    /// <summary>Business days and holidays (DLY-06).</summary>
    public BusinessCalendar Business { get; }

    /// <summary>Enrollments now active in the tenant, at most a second old (LIM-04). Set by the host; 0 when there is no cap.</summary>
    public long ActiveEnrollments { get; set; }

    /// <summary>Records that were ever created in the tenant, at most a second old. Set by the host; 0 when there is no cap.</summary>
    public long Records { get; set; }

    /// <summary>The published workflow of that number, or null.</summary>
    public CompiledWorkflow? FindWorkflow(int number) => _byNumber.GetValueOrDefault(number);

    /// <summary>Place of a published workflow in <see cref="Workflows"/>; -1 when there is none of that number.</summary>
    public int OrderOf(int number) => _order.GetValueOrDefault(number, -1);

    /// <summary>A version of a workflow that enrollments are pinned to; the newest when that version is not kept.</summary>
    public CompiledWorkflow? FindVersion(int number, int version) => _older.GetValueOrDefault((number, version)) ?? FindWorkflow(number);

    /// <summary>Whether a number is that of a sequence, also of one that was deleted.</summary>
    public bool IsSequence(int number) => _sequences.Contains(number);

    /// <summary>The inbox of a user; null when the user has none, or has gone (SEQ-01).</summary>
    public InboxInfo? FindInbox(string user) => _inboxes.GetValueOrDefault(user);

    /// <summary>The list of that number, or null.</summary>
    public CompiledList? FindList(int number) => _lists.GetValueOrDefault(number);

    /// <summary>All lists.</summary>
    public IEnumerable<CompiledList> Lists => _lists.Values;

    internal ObjectTypeCatalog For(int objectType) => _byType[objectType - 1];
}
