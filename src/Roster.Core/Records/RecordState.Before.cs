using Roster.Core.Packing;

namespace Roster.Core.Records;

/// <content>The state before the round began (TRG-07).</content>
public sealed partial class RecordState
{
    private RecordState? _whole;
    private PackedWriter? _snapshot;
    private int _loadedLength;
    private bool _isLoadStale;
    private bool _hasSnapshot;
    private bool _hasBefore;

    /// <summary>
    /// The whole state as it was before the turn began. Properties are cheaper to read through <see cref="TryGetProperty"/>, which
    /// also tells them as they were before the round. Only at hand when the turn began with a snapshot, or is the first after
    /// <see cref="Load"/>.
    /// </summary>
    public RecordState Before
    {
        get
        {
            if (_hasBefore)
            {
                return _whole!;
            }

            // The sections are those of this state: they must be let go before the other one forgets what it has loaded.
            _whole ??= new RecordState();
            _whole._loadedSections = null;
            if (_hasSnapshot)
            {
                _whole.Load(_snapshot!.Written);
            }
            else if (_isLoadStale)
            {
                throw new InvalidOperationException("The state before the round was not kept; the catalog should have asked for it.");
            }
            else if (_loadedLength == 0)
            {
                _whole.Clear();
            }
            else
            {
                _whole.Load(_data.AsSpan(0, _loadedLength));
            }

            // What expired in this turn is left out on both sides (FIL-09). Pages of copies that were written anew are still what was before.
            _whole._loadedSections = _loadedSections;
            _whole._sections.RemoveAll(s => s.Kind != SectionKind.Copies && !_sections.Exists(present => present.Index == s.Index));
            _whole.EventsSince = EventsSince;
            _hasBefore = true;
            return _whole;
        }
    }

    /// <summary>From here on, "before" means now for properties (TRG-07). <see cref="Before"/> stays what it was before the turn.</summary>
    public void BeginRound()
    {
        _beforeCount = 0;
        _historyBefore = _historyCount;
    }

    private void BeginFirstRound(bool keepsWhole)
    {
        BeginRound();
        _hasBefore = false;
        _hasSnapshot = false;
        if (keepsWhole && _isLoadStale)
        {
            _snapshot ??= new PackedWriter();
            _snapshot.Clear();
            Pack(_snapshot);
            _hasSnapshot = true;
        }
    }
}
