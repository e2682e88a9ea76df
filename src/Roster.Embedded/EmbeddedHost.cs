using Roster.Engine.Hosting;
using Roster.Engine.Stores;

namespace Roster.Embedded;

/// <summary>The single-process host: everything in one process, which has the store for itself.</summary>
public sealed class EmbeddedEngine : EngineHost
{
    private EmbeddedEngine(EmbeddedOptions options, IRecordStore store, TimeProvider clock, IReadOnlyList<StoredDocument> documents)
        : base(options, store, clock, documents)
    {
    }

    /// <inheritdoc/>
    protected override string HostName => "embedded";

    /// <summary>Starts the host over an open store. The store stays the caller's to dispose, after the host.</summary>
    /// <exception cref="ArgumentException">An option is out of its range, or the store is one that several processes write.</exception>
    public static async ValueTask<EmbeddedEngine> StartAsync(
        EmbeddedOptions options, IRecordStore store, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (store.IsShared)
        {
            throw new ArgumentException("The embedded host has its store for itself.", nameof(store));
        }

        var documents = await store.ReadDocumentsAsync(cancellationToken).ConfigureAwait(false);
        var engine = new EmbeddedEngine(options, store, clock, documents);
        await engine.StartAsync(documents, cancellationToken).ConfigureAwait(false);
        return engine;
    }
}

/// <summary>Options of the embedded host.</summary>
public sealed class EmbeddedOptions : HostOptions
{
}
