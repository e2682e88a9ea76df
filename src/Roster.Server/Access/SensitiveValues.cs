using System.Collections.Frozen;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.Reflection;
using Roster.Engine;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Server.Access;

/// <summary>
/// Keeps values of sensitive properties from callers without the right SENSITIVE (PRV-01): masked in what they read, and refused in definitions that they would put in
/// force. A property counts by its name: one that is sensitive in one object type is masked wherever its name appears, since a step or a token may carry its value
/// over.
/// </summary>
internal sealed class SensitiveValues(IRosterEngine engine)
{
    private const string Masked = "(masked)";

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_.-");

    /// <summary>A record as the caller may see it.</summary>
    public Record Mask(CallIdentity caller, Record record)
    {
        if (NamesFor(caller) is not { } names || !record.Properties.Any(property => names.Contains(property.Name)))
        {
            return record;
        }

        var masked = record.Clone();
        foreach (var property in masked.Properties.Where(property => names.Contains(property.Name)))
        {
            property.Value = null;
            property.Masked = true;
        }

        return masked;
    }

    /// <summary>Entries of a journal or timeline as the caller may see them, in place.</summary>
    public void Mask(CallIdentity caller, RepeatedField<JournalEntry> entries)
    {
        if (NamesFor(caller) is not { } names)
        {
            return;
        }

        for (var i = 0; i < entries.Count; i++)
        {
            var isValue = entries[i].Value is not null && names.Contains(entries[i].Name);
            if (!isValue && !entries[i].Properties.Any(property => names.Contains(property.Name)))
            {
                continue;
            }

            // A copy: what the engine hands out may be somebody else's too.
            var entry = entries[i].Clone();
            if (isValue)
            {
                entry.Value = null;
                entry.Masked = true;
            }

            Mask(names, entry.Properties);
            entries[i] = entry;
        }
    }

    /// <summary>The end of a walk as the caller may see it, in place.</summary>
    public void Mask(CallIdentity caller, TestWorkflowResponse walk)
    {
        if (NamesFor(caller) is { } names)
        {
            Mask(names, walk.Changes);
        }
    }

    /// <summary>
    /// A dead letter as the caller may see it, in place: its properties by their names. Texts of its task have no names, so they are masked when the step that made
    /// them uses a sensitive property, or is not known.
    /// </summary>
    public async Task MaskAsync(CallIdentity caller, DeadLetter letter, CancellationToken cancellationToken)
    {
        if (letter.Task is not { } task || NamesFor(caller) is not { } names)
        {
            return;
        }

        Mask(names, task.Properties);
        if (await FindStepAsync(caller.Tenant, letter, cancellationToken) is { } step && FindUse(names, step) is null)
        {
            return;
        }

        foreach (var text in task.Fields.Concat(task.Request))
        {
            text.Value = null;
            text.Masked = true;
        }
    }

    private async Task<IMessage?> FindStepAsync(string tenant, DeadLetter letter, CancellationToken cancellationToken)
    {
        try
        {
            var workflow = await engine.GetWorkflowAsync(tenant, new GetWorkflowRequest { WorkflowId = letter.WorkflowId, Version = letter.Version }, cancellationToken);
            return workflow.Steps.FirstOrDefault(step => step.Id == letter.StepId);
        }
        catch (RosterException gone) when (gone.Error == RosterError.NotFound)
        {
            // Deleted, or a sequence.
            return null;
        }
    }

    /// <summary>An explanation as the caller may see it, in place: whatever mentions a sensitive property may have its value.</summary>
    public void Mask(CallIdentity caller, Explanation explanation)
    {
        if (NamesFor(caller) is { } names)
        {
            MaskTexts(names, explanation);
        }
    }

    /// <summary>The caller must have the right when a definition uses a sensitive property in a filter, step or token.</summary>
    /// <exception cref="RosterException">It has not.</exception>
    public void RequireFor(CallIdentity caller, IMessage? definition)
    {
        if (definition is not null && NamesFor(caller) is { } names && FindUse(names, definition) is { } name)
        {
            throw CallIdentity.Denied(
                "rights", CallIdentity.Name(Right.Sensitive), $"The definition uses the sensitive property `{name}`; putting it in force needs the right {CallIdentity.Name(Right.Sensitive)}.");
        }
    }

    private static void Mask(FrozenSet<string> names, RepeatedField<PropertyValue> properties)
    {
        foreach (var property in properties.Where(property => names.Contains(property.Name)))
        {
            property.Value = null;
            property.Masked = true;
        }
    }

    /// <summary>Names of sensitive properties; null when the caller may see all values, or there are none.</summary>
    private FrozenSet<string>? NamesFor(CallIdentity caller) =>
        caller.Has(Right.Sensitive) || engine.SchemaOf(caller.Tenant) is not { SensitiveNames: { Count: > 0 } names } ? null : names;

    /// <summary>Masks every text that mentions a name, but the tests themselves, which are the definition's. What a filter found stands beside its test.</summary>
    private static void MaskTexts(FrozenSet<string> names, IMessage message)
    {
        if (message is ExplainedFilter filter)
        {
            filter.Actual = FindName(names, filter.Test) is null ? filter.Actual : Masked;
            return;
        }

        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            var value = field.Accessor.GetValue(message);
            switch (field.FieldType)
            {
                case FieldType.Message when field.IsRepeated:
                    foreach (var item in (System.Collections.IEnumerable)value)
                    {
                        MaskTexts(names, (IMessage)item);
                    }

                    break;
                case FieldType.Message when value is IMessage inner:
                    MaskTexts(names, inner);
                    break;
                case FieldType.String when field.IsRepeated:
                    var texts = (RepeatedField<string>)value;
                    for (var i = 0; i < texts.Count; i++)
                    {
                        texts[i] = FindName(names, texts[i]) is null ? texts[i] : Masked;
                    }

                    break;
                case FieldType.String when FindName(names, (string)value) is not null:
                    field.Accessor.SetValue(message, Masked);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>The first sensitive property that a definition names: in a field for properties, or in a token of a text.</summary>
    private static string? FindUse(FrozenSet<string> names, IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            var value = field.Accessor.GetValue(message);
            var found = field.FieldType switch
            {
                FieldType.Message when field.IsRepeated => ((System.Collections.IEnumerable)value).Cast<IMessage>().Select(item => FindUse(names, item)).FirstOrDefault(name => name is not null),
                FieldType.Message when value is IMessage inner => FindUse(names, inner),
                FieldType.String when field.IsRepeated => ((IEnumerable<string>)value).Select(text => FindUse(names, field, text)).FirstOrDefault(name => name is not null),
                FieldType.String => FindUse(names, field, (string)value),
                _ => null,
            };
            if (found is not null)
            {
                return found;
            }
        }

        return null;
    }

    private static string? FindUse(FrozenSet<string> names, FieldDescriptor field, string text) =>
        field.Name is "property" or "properties" || field.Name.EndsWith("_property", StringComparison.Ordinal)
            ? FindName(names, text)
            : text.Contains("{{", StringComparison.Ordinal) ? FindName(names, text[text.IndexOf("{{", StringComparison.Ordinal)..]) : null;

    /// <summary>The first sensitive name among the words of a text; also one behind the name of a data source: <c>deal.amount</c>.</summary>
    private static string? FindName(FrozenSet<string> names, string text)
    {
        var rest = text.AsSpan();
        while (rest.IndexOfAny(NameCharacters) is >= 0 and var from)
        {
            rest = rest[from..];
            var length = rest.IndexOfAnyExcept(NameCharacters) is >= 0 and var end ? end : rest.Length;
            var word = rest[..length].ToString().TrimEnd('.');
            rest = rest[length..];
            while (word.Length > 0)
            {
                if (names.TryGetValue(word, out var name))
                {
                    return name;
                }

                var dot = word.IndexOf('.', StringComparison.Ordinal);
                word = dot < 0 ? string.Empty : word[(dot + 1)..];
            }
        }

        return null;
    }
}
