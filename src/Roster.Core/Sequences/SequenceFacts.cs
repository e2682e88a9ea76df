using Roster.Core.Journal;
using Roster.Core.Values;

namespace Roster.Core.Sequences;

/// <summary>What an enrollment in a sequence remembers of its beginning. Kept with the enrollment as named values.</summary>
/// <param name="User">Who enrolled: whose meetings end it (SEQ-11).</param>
public sealed record SequenceFacts(string User)
{
    private const string UserName = "user";
    private const string ByHandName = "by_hand";
    private const string BulkName = "bulk";
    private const string StepName = "first_step";
    private const string StartName = "start_at";

    /// <summary>Whether it was by hand, so that the first step ignores the send window (SEQ-05).</summary>
    public bool IsByHand { get; init; }

    /// <summary>Whether it was one of a bulk enrollment, whose e-mails are slower (SEQ-15).</summary>
    public bool IsBulk { get; init; }

    /// <summary>Number of the step it begins at; 0 for the first (SEQ-05).</summary>
    public int FirstStep { get; init; }

    /// <summary>When it begins; none for at once (SEQ-05).</summary>
    public Timestamp StartAt { get; init; }

    /// <summary>Reads them.</summary>
    public static SequenceFacts Of(NamedValue[]? values) => new(NamedValues.Find(values, UserName) is { IsUnknown: false } user ? user.Text : string.Empty)
    {
        IsByHand = NamedValues.Find(values, ByHandName) is { IsUnknown: false, Bool: true },
        IsBulk = NamedValues.Find(values, BulkName) is { IsUnknown: false, Bool: true },
        FirstStep = NamedValues.Find(values, StepName) is { IsUnknown: false } step ? (int)step.Number : 0,
        StartAt = NamedValues.Find(values, StartName) is { IsUnknown: false } start ? start.DateTime : Timestamp.None,
    };

    /// <summary>Writes them; what is not said is left out.</summary>
    public NamedValue[] ToValues()
    {
        var values = new List<NamedValue>();
        if (User.Length > 0)
        {
            values.Add(new NamedValue(UserName, Value.OfText(User)));
        }

        if (IsByHand)
        {
            values.Add(new NamedValue(ByHandName, Value.OfBool(true)));
        }

        if (IsBulk)
        {
            values.Add(new NamedValue(BulkName, Value.OfBool(true)));
        }

        if (FirstStep != 0)
        {
            values.Add(new NamedValue(StepName, Value.OfNumber(FirstStep)));
        }

        if (!StartAt.IsNone)
        {
            values.Add(new NamedValue(StartName, Value.OfDateTime(StartAt)));
        }

        return [.. values];
    }
}
