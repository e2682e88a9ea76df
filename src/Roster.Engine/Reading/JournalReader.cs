using System.Globalization;
using System.Runtime.CompilerServices;
using Roster.Core.Records;
using Roster.Engine.Catalog;
using Roster.Engine.Stores;
using Roster.Engine.Turns;
using Roster.Protocol.Mapping;
using Roster.V1;

namespace Roster.Engine.Reading;

/// <summary>Timelines and the journal as readers see them.</summary>
public sealed class JournalReader
{
    private const int ChunkMax = 500;
    private readonly IRecordStore _store;
    private readonly Dictionary<long, string> _ids = [];

    /// <summary>Creates a reader; one per call, because it remembers ids of records it met.</summary>
    public JournalReader(IRecordStore store) => _store = store;

    /// <summary>A page of a record's timeline, newest first.</summary>
    public async Task<GetTimelineResponse> ReadTimelineAsync(
        long recordNumber, string recordId, GetTimelineRequest request, TenantOwner owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(owner);
        var size = request.PageSize is 0 ? 100 : Math.Clamp(request.PageSize, 1, 1_000);
        var before = request.PageToken.Length == 0 ? 0 : ParseToken(request.PageToken);
        var turns = await _store.ReadTimelineAsync(recordNumber, before, size, cancellationToken).ConfigureAwait(false);
        _ids[recordNumber] = recordId;
        var response = new GetTimelineResponse();
        foreach (var turn in turns)
        {
            var entries = await ToWireAsync(turn, owner, cancellationToken).ConfigureAwait(false);
            entries.Reverse();
            response.Entries.AddRange(entries);
        }

        var last = turns.Count == 0 ? null : turns[^1];
        response.NextPageToken = turns.Count == size && last!.Previous > 0 ? last.Position.ToString(CultureInfo.InvariantCulture) : string.Empty;

        // A record has one turn at least, and a page token is given when there are older ones.
        response.OlderRemoved = last is null || last.Previous < 0;
        return response;
    }

    /// <summary>The journal of a tenant from a position on.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="owner">The tenant.</param>
    /// <param name="advanced">A task that completes after the next commit; asked for before each read.</param>
    /// <param name="cancellationToken">Ends a reader that follows.</param>
    public async IAsyncEnumerable<ReadJournalResponse> ReadAsync(
        ReadJournalRequest request, TenantOwner owner, Func<Task> advanced, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(advanced);
        var position = request.FromEnd ? (await _store.ReadStatusAsync(cancellationToken).ConfigureAwait(false)).JournalPosition : request.AfterPosition;
        while (true)
        {
            var next = advanced();
            var turns = await _store.ReadJournalAsync(position, ChunkMax, cancellationToken).ConfigureAwait(false);
            if (turns.Count > 0)
            {
                var response = await ToResponseAsync(turns, request.WorkflowId, owner, cancellationToken).ConfigureAwait(false);
                response.OlderRemoved = position < _store.Status.JournalBegin;
                position = turns[^1].Position;
                yield return response;
            }
            else if (!request.Follow)
            {
                yield break;
            }
            else
            {
                await next.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Entries of a turn that are shown, in order.</summary>
    public async Task<List<JournalEntry>> ToWireAsync(StoredTurn turn, TenantOwner owner, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(turn);
        ArgumentNullException.ThrowIfNull(owner);
        var decoded = TurnDecoder.Decode(turn);
        var id = await IdOfAsync(decoded, cancellationToken).ConfigureAwait(false);
        var entries = new List<JournalEntry>();
        foreach (var entry in decoded.Entries)
        {
            if (JournalMapping.IsShown(entry.Kind))
            {
                entries.Add(JournalMapping.ToWire(entry, decoded.Info.ObjectType, id, decoded.Info.At, turn.Position, owner));
            }
        }

        return entries;
    }

    private async Task<ReadJournalResponse> ToResponseAsync(
        IReadOnlyList<StoredTurn> turns, string workflow, TenantOwner owner, CancellationToken cancellationToken)
    {
        var response = new ReadJournalResponse { Position = turns[^1].Position };
        foreach (var turn in turns)
        {
            if (TurnDecoder.ReadSkeleton(turn.Skeleton.Span, []).Tenant == owner.Number)
            {
                var entries = await ToWireAsync(turn, owner, cancellationToken).ConfigureAwait(false);
                response.Entries.AddRange(entries.Where(e => workflow.Length == 0 || e.WorkflowId == workflow));
            }
        }

        return response;
    }

    /// <summary>The journal has numbers for records; the id is in the turn that created it, else in its head.</summary>
    private async Task<string> IdOfAsync(DecodedTurn turn, CancellationToken cancellationToken)
    {
        if (turn.CreatedId.Length > 0)
        {
            return turn.CreatedId;
        }

        if (_ids.TryGetValue(turn.Info.RecordNumber, out var known))
        {
            return known;
        }

        var loaded = await _store.LoadAsync(turn.Info.RecordNumber, cancellationToken).ConfigureAwait(false);
        var state = new RecordState();
        state.Load(loaded.Head.Span);
        if (_ids.Count >= 10_000)
        {
            _ids.Clear();
        }

        return _ids[turn.Info.RecordNumber] = state.Id;
    }

    /// <summary>Reads a page token, which is a position.</summary>
    internal static long ParseToken(string token) => long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
        ? position
        : throw RosterException.Invalid("page_token", token, "The page token is not one that was given.");
}
