using System.Globalization;
using Google.Protobuf;
using Roster.Core;
using Roster.Engine.Catalog;
using Roster.Engine.Erasing;
using Roster.Engine.Stores;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;
using Timestamp = Roster.Core.Timestamp;

namespace Roster.Engine.Operations;

/// <content>The job that empties what is stored of an erased record (REC-17).</content>
public sealed partial class Jobs
{
    private const string ErasurePrefix = "erase-";

    // Two erasures that change the same turn of a record which both were linked to would undo each other's work.
    private readonly SemaphoreSlim _erasing = new(1, 1);
    private readonly Lock _scrubGate = new();
    private Task _scrub = Task.CompletedTask;
    private Task? _nextScrub;

    /// <summary>Id of the operation that erases a record.</summary>
    public static string ErasureId(long recordNumber) => ErasurePrefix + recordNumber.ToString(CultureInfo.InvariantCulture);

    /// <summary>Id of the operation that has those forget an erased record who named it later.</summary>
    /// <param name="recordNumber">Number of the record.</param>
    /// <param name="turnId">The turn in which it heard so.</param>
    internal static string ErasureId(long recordNumber, ulong turnId) => string.Create(CultureInfo.InvariantCulture, $"{ErasureId(recordNumber)}-{turnId:x16}");

    /// <summary>
    /// The document of the job, which is committed with the turn that erases the record, so that neither is without the other. It names the
    /// record by its number and has no personal data.
    /// </summary>
    internal static StoredDocument NewErasure(int tenant, string id, Timestamp at) => ToDocument(tenant, new OperationDocument
    {
        Operation = new Operation
        {
            Id = id,
            Kind = JobKinds.Erase,
            State = Operation.Types.State.Running,
            CreatedAt = ValueMapping.ToWire(at),
        },
    });

    /// <summary>Takes over jobs that became durable with turns.</summary>
    public void OnDurable(TurnBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.TurnCount == 0)
        {
            return;
        }

        foreach (var document in batch.Documents)
        {
            Adopt(document.Tenant, OperationDocument.Parser.ParseFrom(document.Content), []);
        }
    }

    private async Task<bool> RunErasureAsync(Job job)
    {
        var name = job.Id[ErasurePrefix.Length..].Split('-');
        var run = new ErasureRun(_host, long.Parse(name[0], NumberStyles.None, CultureInfo.InvariantCulture));
        while (await run.WaitUntilToldAsync(_stop.Token).ConfigureAwait(false) is { } told)
        {
            await _erasing.WaitAsync(_stop.Token).ConfigureAwait(false);
            try
            {
                await run.EmptyJournalsAsync(told.Key, _host.ErasedIds, job.Id, _stop.Token).ConfigureAwait(false);
            }
            finally
            {
                _erasing.Release();
            }

            await run.FinishAsync(told.TurnId, _stop.Token).ConfigureAwait(false);
        }

        if (name.Length == 1)
        {
            // Whoever names an erased record again and again does not have the tables written anew each time.
            await ScrubAsync().ConfigureAwait(false);
        }

        lock (job)
        {
            job.Document.Operation.Done = 1;
            End(job, Operation.Types.State.Succeeded);
        }

        return false;
    }

    /// <summary>
    /// Scrubbing takes as long as writing the tables anew, so erasures share it: all that come while one is at work wait for the next. The one
    /// at work may have passed already by what they want gone.
    /// </summary>
    private Task ScrubAsync()
    {
        lock (_scrubGate)
        {
            return _nextScrub ??= ScrubAfterAsync(_scrub);
        }
    }

    private async Task ScrubAfterAsync(Task present)
    {
        await present.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        lock (_scrubGate)
        {
            _scrub = _nextScrub!;
            _nextScrub = null;
        }

        await _host.Store.ScrubAsync(_stop.Token).ConfigureAwait(false);
    }
}
