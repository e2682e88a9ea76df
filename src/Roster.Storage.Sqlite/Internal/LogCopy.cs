using System.Globalization;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>Copies a log into a new file, in parts, checking every byte on the way.</summary>
internal sealed class LogCopy : IDisposable
{
    /// <summary>A read, and what it holds up of the WAL, ends after so many bytes.</summary>
    private const int PartBytes = 4 * 1024 * 1024;

    private readonly LogReader _from;
    private readonly LogChain _chain;
    private readonly Database _copy;
    private readonly Statement _insert;
    private readonly long _begin;

    public LogCopy(LogReader from, string path, int pageBytes, long begin)
    {
        _from = from;
        _begin = begin;
        _chain = new LogChain(from.Path, begin, (position, what) => throw LogFormat.Corrupt(from.Path, position, what));
        _copy = Database.OpenNew(path, pageBytes);
        _copy.Execute(LogFile.Schema);
        _insert = _copy.Prepare(LogFile.InsertRow);
    }

    /// <summary>Copies some rows below a position, which ends a batch; true when all are copied.</summary>
    public bool Step(long end)
    {
        var until = Math.Min(end, _chain.Next + PartBytes);
        _copy.Execute("BEGIN");
        var rows = _from.RowsFrom(_chain.Next);
        try
        {
            while (_chain.Next < until && rows.Step())
            {
                Add(rows);
            }
        }
        finally
        {
            rows.Reset();
        }

        _copy.Execute("COMMIT");
        if (_chain.Next < until)
        {
            throw LogFormat.Corrupt(_from.Path, _chain.Next, "the log ends here");
        }

        return _chain.Next >= end;
    }

    /// <summary>Checks that it ends where a batch ends; nothing is added after that.</summary>
    public void Complete()
    {
        _chain.End(_chain.Next);
        FileFormat.Check(_copy, LogFile.FormatVersion);
        if (_begin == LogFormat.FirstPosition)
        {
            return;
        }

        _copy.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT INTO meta(name, value) VALUES('{LogFile.BeginName}', {_begin})"));
        var count = _copy.Prepare(LogFile.AddRemovedCounter);
        foreach (var (key, value) in _from.RemovedCounters(LogReader.AllTenants))
        {
            count.Bind(1, key.Tenant).Bind(2, key.Workflow).Bind(3, key.Version).Bind(4, (int)key.Kind);
            count.Bind(5, key.Step).Bind(6, key.Code).Bind(7, value).Run();
        }
    }

    public void Dispose() => _copy.Dispose();

    private void Add(Statement row)
    {
        var start = row.Long(0);
        var hasBatch = !row.IsNull(1);
        var batch = row.Blob(1);
        var frames = row.Blob(2);
        _chain.Add(start, hasBatch, batch, frames);
        _insert.Bind(1, start);
        _ = hasBatch ? _insert.Bind(2, batch) : _insert.BindNull(2);
        _insert.Bind(3, frames).Run();
    }
}
