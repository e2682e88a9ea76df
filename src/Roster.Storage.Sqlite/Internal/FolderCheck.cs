using System.Globalization;
using Roster.Core.Records;
using Roster.Engine.Stores;

namespace Roster.Storage.Sqlite.Internal;

/// <summary>
/// Verifies a data folder that no process has open, and changes nothing in it: structure of both files, write-ahead logs, every checksum of the
/// log, positions without a gap, the chain of each record's turns, and that each row of a record is of the turn that it names.
/// </summary>
internal sealed class FolderCheck(string folder, bool isDeep, CancellationToken cancellationToken)
{
    private const int CacheBytes = 16 * 1024 * 1024;
    private readonly List<FolderFault> _faults = [];
    private readonly Dictionary<long, Chain> _chains = [];
    private readonly HashSet<long> _rows = [];
    private readonly RecordState _state = new();
    private JournalFold? _fold;
    private long _faultCount;
    private long _begin = LogFormat.FirstPosition;
    private long _end = LogFormat.FirstPosition;
    private long _checkpointEnd;
    private long _turns;
    private long _records;
    private long _timers;
    private long _position;

    public FolderReport Run()
    {
        var isThere = true;
        foreach (var file in new[] { TableFile.FileName, LogFile.FileName })
        {
            if (!File.Exists(Path.Combine(folder, file)))
            {
                Fault(file, "the file is missing");
                isThere = false;
            }
            else if (WalCheck.Check(Path.Combine(folder, file + "-wal"), cancellationToken) is { } what)
            {
                Fault(file + "-wal", what);
            }
        }

        if (isThere)
        {
            Guard(TableFile.FileName, CheckTables);
        }

        return new FolderReport(folder, isDeep, _begin, _end, _turns, _rows.Count, _fold?.Replayed ?? 0, _faults, _faultCount);
    }

    private void CheckTables()
    {
        using var tables = Database.OpenReader(Path.Combine(folder, TableFile.FileName), CacheBytes);
        CheckFormat(tables, TableFile.FormatVersion);
        Guard(TableFile.FileName, () => CheckStructure(tables, TableFile.FileName));
        _checkpointEnd = Math.Max(LogFormat.FirstPosition, Meta(tables, MetaNames.End));
        _begin = ReadBegin();
        _fold = isDeep ? new JournalFold(_begin, _checkpointEnd, (file, position, record, what) => Fault(file, what, position, record)) : null;
        Guard(TableFile.FileName, () => _fold?.NoteRows(tables));
        Guard(LogFile.FileName, () => CheckLog(tables));
    }

    /// <summary>What cannot be read is told when the log is checked.</summary>
    private long ReadBegin()
    {
        try
        {
            using var log = Database.OpenReader(Path.Combine(folder, LogFile.FileName), CacheBytes);
            return Math.Max(LogFormat.FirstPosition, Meta(log, LogFile.BeginName));
        }
        catch (Exception e) when (e is StoreCorruptException or IOException)
        {
            return LogFormat.FirstPosition;
        }
    }

    private void CheckLog(Database tables)
    {
        var path = Path.Combine(folder, LogFile.FileName);
        using (var database = Database.OpenReader(path, CacheBytes))
        {
            CheckFormat(database, LogFile.FormatVersion);
            Guard(LogFile.FileName, () => CheckStructure(database, LogFile.FileName));
            if (StoreId(database) != StoreId(tables))
            {
                Fault(LogFile.FileName, "it is not of the store that the tables are of");
            }
        }

        using var log = new LogReader(path, new RecentLog(0, LogFormat.FirstPosition), CacheBytes);
        if (_begin != LogFormat.FirstPosition)
        {
            Guard(LogFile.FileName, () => _fold?.AddRemoved(log.RemovedCounters(LogReader.AllTenants)));
        }

        Guard(LogFile.FileName, () => WalkLog(log));
        Guard(TableFile.FileName, () => CheckMeta(tables));
        Guard(TableFile.FileName, () => CheckHeads(tables, log));
        Guard(TableFile.FileName, () => CheckKeys(tables));
        Guard(TableFile.FileName, () => _fold?.Compare(tables));
    }

    private void CheckStructure(Database database, string file)
    {
        var rows = database.Prepare("PRAGMA integrity_check(100)");
        while (rows.Step())
        {
            if (rows.Text(0) is var found && found != "ok")
            {
                Fault(file, found);
            }
        }
    }

    private void WalkLog(LogReader log)
    {
        var chain = new LogChain(log.Path, _begin, (position, what) => Fault(LogFile.FileName, what, position))
        {
            OnBatch = (start, header) => _fold?.Add(start, header),
            OnTurn = Link,
        };
        var rows = log.RowsFrom(_begin);
        while (rows.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            chain.Add(rows.Long(0), !rows.IsNull(1), rows.Blob(1), rows.Blob(2));
            _turns = chain.Turns;
            _end = chain.Next;
        }

        chain.End(chain.Next);
        if (_begin > _checkpointEnd)
        {
            Fault(LogFile.FileName, $"the log begins here, but the tables have turns up to position {_checkpointEnd} only", _begin);
        }

        if (_end < _checkpointEnd)
        {
            Fault(LogFile.FileName, $"the log ends here, but the tables have turns up to position {_checkpointEnd}", _end);
        }
    }

    /// <summary>Each turn names the one before it of its record.</summary>
    private void Link(long position, in FrameHeader header, ReadOnlySpan<byte> frame)
    {
        var facts = TurnFacts.Read(header.Skeleton(frame));
        var before = _chains.GetValueOrDefault(facts.RecordNumber);
        var isFirst = before.Latest == 0 && (header.Previous == 0 || header.Previous < _begin);
        if (!isFirst && header.Previous != before.Latest)
        {
            Fault(
                LogFile.FileName,
                $"the turn names position {header.Previous} as the one before it; the record's latest turn is at {before.Latest}",
                position,
                facts.RecordNumber);
        }

        var isInTables = position < _checkpointEnd;
        if (isInTables)
        {
            _position = position;
            _records += before.InTables == 0 ? 1 : 0;
            _timers += (facts.NextDueMs != 0 ? 1 : 0) - (before.IsDue ? 1 : 0);
        }

        _chains[facts.RecordNumber] = new Chain(position, isInTables ? position : before.InTables, isInTables ? facts.NextDueMs != 0 : before.IsDue);
        _fold?.Add(position, header, frame.ToArray(), facts);
    }

    private void CheckMeta(Database tables)
    {
        foreach (var (name, counted) in new[] { (MetaNames.Position, _position), (MetaNames.Records, _records), (MetaNames.Timers, _timers) })
        {
            // Without its beginning the log does not say how many there were.
            if (Meta(tables, name) is var stored && stored != counted && _begin == LogFormat.FirstPosition)
            {
                Fault(TableFile.FileName, $"{name} of the checkpoint is {stored}, the log gives {counted}", _checkpointEnd);
            }
        }
    }

    private void CheckHeads(Database tables, LogReader log)
    {
        var rows = tables.Prepare("SELECT number, position, turn_id, next_due, head FROM heads ORDER BY number");
        while (rows.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (number, row) = (rows.Long(0), new HeadRow(rows.Long(1), (ulong)rows.Long(2), rows.Long(3)));
            _rows.Add(number);
            if (Judge(number, row, log) is { } what)
            {
                Fault(TableFile.FileName, what, row.Position, number);
            }

            if (JudgeHead(number, row, rows.Blob(4)) is { } head)
            {
                Fault(TableFile.FileName, head, row.Position, number);
            }
        }

        foreach (var (number, chain) in _chains)
        {
            if (chain.InTables != 0 && !_rows.Contains(number))
            {
                Fault(TableFile.FileName, "the record has no row", chain.InTables, number);
            }
        }
    }

    private string? Judge(long number, in HeadRow row, LogReader log)
    {
        if (row.Position < _begin)
        {
            return _chains.TryGetValue(number, out var newer) && newer.InTables != 0
                ? $"the row is older than the record's turn at position {newer.InTables}, which the tables should have"
                : null;
        }

        if (!log.TryRead(row.Position, log.Frames, out var header))
        {
            return "the row is of a turn that the log does not have";
        }

        var facts = TurnFacts.Read(header.Skeleton(log.Frames.Bytes.Span));
        if (facts.RecordNumber != number)
        {
            return $"the row is of a turn of record {facts.RecordNumber}";
        }

        if (facts.TurnId != row.TurnId || facts.NextDueMs != row.NextDueMs)
        {
            return "turn id or due instant of the row are not those of its turn";
        }

        return row.Position < _chains.GetValueOrDefault(number).InTables
            ? $"the row is older than the record's turn at position {_chains[number].InTables}, which the tables should have"
            : null;
    }

    private string? JudgeHead(long number, in HeadRow row, ReadOnlySpan<byte> head)
    {
        try
        {
            _state.Load(head);
        }
        catch (FormatException e)
        {
            return $"the state cannot be read: {e.Message}";
        }

        return _state.Number != number || _state.TurnId != row.TurnId ? "the state is of another record or turn than the row says" : null;
    }

    /// <summary>A checkpoint writes keys before heads, so there may be a key without a head, for a record that the log has.</summary>
    private void CheckKeys(Database tables)
    {
        var seen = new HashSet<long>();
        var rows = tables.Prepare("SELECT number FROM keys");
        while (rows.Step())
        {
            var number = rows.Long(0);
            if (!seen.Add(number))
            {
                Fault(TableFile.FileName, "two keys name one record", 0, number);
            }
            else if (!_rows.Contains(number) && !_chains.ContainsKey(number))
            {
                Fault(TableFile.FileName, "a key names a record that does not exist", 0, number);
            }
        }

        foreach (var number in _rows)
        {
            if (!seen.Contains(number))
            {
                Fault(TableFile.FileName, "no key names the record", 0, number);
            }
        }
    }

    /// <summary>What cannot be read at all is a fault, and the rest is checked all the same.</summary>
    private void Guard(string file, Action check)
    {
        try
        {
            check();
        }
        catch (Exception e) when (e is StoreCorruptException or IOException or FormatException)
        {
            Fault(file, e.Message);
        }
    }

    private void Fault(string file, string what, long position = 0, long record = 0)
    {
        _faultCount++;
        if (_faults.Count < FolderReport.FaultsMax)
        {
            _faults.Add(new FolderFault(file, position, record, what));
        }
    }

    private static void CheckFormat(Database database, int version)
    {
        var stored = database.Query("SELECT value FROM meta WHERE name = 'format'");
        if (int.TryParse(stored, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > version)
        {
            throw new StoreRefusedException($"{database.Path} has format {number}; this program reads format {version}. Use the version that wrote it, or a later one.");
        }
    }

    private static string StoreId(Database database) => database.Query("SELECT value FROM meta WHERE name = 'store'") ?? string.Empty;

    private static long Meta(Database database, string name) =>
        long.TryParse(database.Query($"SELECT value FROM meta WHERE name = '{name}'"), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;

    /// <summary>Positions of a record's latest turn, and of the latest one that tables must have, 0 for none; whether that one left a timer.</summary>
    private readonly record struct Chain(long Latest, long InTables, bool IsDue);
}
