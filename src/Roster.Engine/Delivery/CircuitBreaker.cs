using Roster.Core;

namespace Roster.Engine.Delivery;

/// <summary>
/// Keeps a receiver that does not answer from being called by every task that waits for it. Closed: all may try. After
/// <see cref="FailuresMax"/> failures in a row it is open: nobody tries, and no attempt is used up. When the time is over one may try: success closes it,
/// a failure opens it for twice as long. What fails meanwhile and was under way before says nothing new. Thread-safe.
/// </summary>
public sealed class CircuitBreaker
{
    /// <summary>Failures in a row that open it.</summary>
    public const int FailuresMax = 5;

    /// <summary>How long it is open at first, in milliseconds: 30 seconds.</summary>
    public const long OpenFirstMs = 30_000;

    /// <summary>How long it is open at most, in milliseconds: 10 minutes.</summary>
    public const long OpenMaxMs = 600_000;

    private readonly Lock _gate = new();
    private Timestamp _openUntil = Timestamp.None;
    private long _openForMs = OpenFirstMs;
    private int _failures;
    private bool _isTrying;

    /// <summary>Whether it is open or tries out whether it may close.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_gate)
            {
                return !_openUntil.IsNone;
            }
        }
    }

    /// <summary>Asks whether one may try now. Whoever gets true must report what came of it.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="again">When it is worth asking again; none when another one is trying, whose report says so.</param>
    /// <param name="isTrial">Whether it is the one that tries whether it may close; to be said in the report.</param>
    public bool MayTry(Timestamp now, out Timestamp again, out bool isTrial)
    {
        lock (_gate)
        {
            (again, isTrial) = (Timestamp.None, false);
            if (_openUntil.IsNone)
            {
                return true;
            }

            if (_isTrying || now < _openUntil)
            {
                again = _isTrying ? Timestamp.None : _openUntil;
                return false;
            }

            (_isTrying, isTrial) = (true, true);
            return true;
        }
    }

    /// <summary>Nothing was tried after all.</summary>
    public void NotTried(bool isTrial)
    {
        lock (_gate)
        {
            _isTrying &= !isTrial;
        }
    }

    /// <summary>The receiver answered.</summary>
    public void Succeeded()
    {
        lock (_gate)
        {
            (_failures, _openUntil, _openForMs, _isTrying) = (0, Timestamp.None, OpenFirstMs, false);
        }
    }

    /// <summary>The receiver did not answer, or not as one that works.</summary>
    public void Failed(Timestamp now, bool isTrial)
    {
        lock (_gate)
        {
            if (!_openUntil.IsNone)
            {
                if (isTrial && _isTrying)
                {
                    _openForMs = Math.Min(OpenMaxMs, 2 * _openForMs);
                    _openUntil = now.PlusMs(_openForMs);
                    _isTrying = false;
                }
            }
            else if (++_failures >= FailuresMax)
            {
                _openUntil = now.PlusMs(_openForMs);
            }
        }
    }
}
