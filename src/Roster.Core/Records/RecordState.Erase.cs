namespace Roster.Core.Records;

/// <content>Erasure (REC-17).</content>
public sealed partial class RecordState
{
    /// <summary>Whether the record was erased and those linked to it have been told: nothing is left of it but that it was.</summary>
    public bool IsIdErased => Gone == GoneKind.Erased && _idLength == 0;

    /// <summary>Number of a section that must be given before <see cref="LinkSections"/>; 0 when none is missing.</summary>
    internal int FindMissingToDropLinks() => _directory == 0 || IsLoaded(_directory) ? 0 : _directory;

    /// <summary>Numbers of the sections that links are in.</summary>
    internal int[] LinkSections() => _directory == 0 ? [] : [_directory, .. ReadDirectory(_loadedSections![_directory]).Slots.Distinct()];

    /// <summary>
    /// Whether the leaf of a record or a page of copies has it, also behind another one (ASC-03), or the head that it is gone from these. Leaf
    /// and pages must have been given.
    /// </summary>
    internal bool KeepsInSections(int objectType, string id)
    {
        bool IsOf(RecordCopy copy) => Names(copy, objectType, id);
        return (_directory != 0 && _associations.Exists(a => a.IsTo(objectType, id)))
            || (_directory != 0 && ReadLeaf(_loadedSections![LeafOf(Association.HashOf(objectType, id))]).Items.Exists(a => a.IsTo(objectType, id)))
            || (HasCopyPages && _copies.Exists(IsOf))
            || _sections.Exists(s => s.Kind == SectionKind.Copies && ReadPage(_loadedSections![s.Index]).Exists(IsOf));
    }

    /// <summary>The copies that are of a record or have it behind (ASC-03). Pages must have been given.</summary>
    internal List<RecordCopy> CopiesNaming(int objectType, string id) => [.. Copies.Where(c => Names(c, objectType, id))];

    /// <summary>Removes sections with the commit of the turn.</summary>
    internal void DropSections(int[] sections)
    {
        foreach (var section in sections)
        {
            DropSection(section);
        }
    }

    /// <summary>Takes away all but the id and the links. A record that never was exists from here on, as an erased one.</summary>
    private void EraseContent()
    {
        foreach (var section in _sections)
        {
            DropSection(section.Index);
        }

        ClearContent();
        Exists = true;
        Gone = GoneKind.Erased;
    }

    /// <summary>Takes away the rest. What stays is the same whatever the record was: so a journal without texts and values gives it too.</summary>
    private void EraseId()
    {
        var (tenant, objectType, number, at, turnId) = (Tenant, ObjectType, Number, LastTurnAt, TurnId);
        Clear();
        (Tenant, ObjectType, Number, LastTurnAt, TurnId) = (tenant, objectType, number, at, turnId);
        Exists = true;
        Gone = GoneKind.Erased;
    }
}
