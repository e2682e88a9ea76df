using System.Globalization;
using Roster.V1;

namespace Roster.Import.Internal;

/// <content>Actions by the ids that HubSpot gives them (section 15 of the rules).</content>
internal sealed partial class FlowReader
{
    // The most text that a field of a task holds.
    private const int FieldLengthMax = 10_000;

    // What HubSpot calls a task that is neither a call nor an e-mail.
    private const string PlainTask = "TO" + "DO";

    /// <summary>Actions that leave the engine: the queue of the worker that carries them out, and what it does.</summary>
    private static readonly Dictionary<string, (string Queue, string What)> Workers = new(StringComparer.Ordinal)
    {
        ["0-4"] = ("mail", "sends the marketing e-mail"),
        ["0-8"] = ("internal-mail", "sends the internal e-mail"),
        ["0-23"] = ("internal-mail", "sends the internal e-mail"),
        ["0-9"] = ("notification", "shows the notification"),
        ["0-40900952"] = ("sms", "sends the text message"),
        ["0-25085031"] = ("whatsapp", "sends the WhatsApp message"),
        ["1-179507819"] = ("slack", "sends the Slack message"),
        ["0-44475148"] = ("conversation", "routes the conversation"),
        ["0-199186210"] = ("survey", "sends the survey"),
        ["0-30"] = ("ads-audience", "changes the ads audience"),
        ["0-225935194"] = ("validate-phone", "validates and formats the phone number"),
        ["0-177946906"] = ("enrich", "enriches the record"),
        ["0-172351286"] = ("enrich", "enriches the record"),
        ["0-216647524"] = ("enrich", "enriches the record"),
    };

    private void Action(Node action, string type, Step step)
    {
        var version = action["actionTypeVersion"];
        if (version.Text() is not (null or "0"))
        {
            version.Adapted(FindingCode.Bookkeeping, "The version of an action's settings is not kept; its fields are read by name.");
        }

        if (type == "WEBHOOK")
        {
            Webhook(action, step);
            return;
        }

        if (type == "CUSTOM_CODE")
        {
            CustomCode(action, step);
            return;
        }

        var typeId = action["actionTypeId"];
        var id = typeId.Text() ?? "";
        var fields = action["fields"];
        var isRead = id switch
        {
            "0-1" or "0-35" => Delay(fields, step),
            "0-29" => Wait(fields, step),
            "0-5" => SetProperty(fields, step),
            "0-3" => CreateTask(fields, step),
            "0-14" => CreateRecord(fields, step),
            "0-169425243" => CreateNote(fields, step),
            "0-11" => RotateOwner(fields, step),
            "0-13" => ChangeList(fields, step),
            "0-63809083" => AddToList(fields, step),
            "0-63863438" => RemoveFromList(fields, step),
            "0-15" => EnrollInWorkflow(fields, step),
            "0-18224765" => DeleteRecord(step),
            "0-46510720" => EnrollInSequence(fields, step),
            "0-4702372" => UnenrollFromSequence(fields, step),
            _ when Workers.TryGetValue(id, out var worker) => Task(typeId, fields, step, worker.Queue, worker.What, isMarketing: id == "0-4"),
            _ when id.StartsWith("1-", StringComparison.Ordinal) => Task(typeId, fields, step, $"app-{Ids.Slug(id)}", "does what the app did", isMarketing: false),
            _ => false,
        };
        if (isRead)
        {
            return;
        }

        var isKnown = id is "0-1" or "0-35" or "0-29" or "0-5" or "0-3" or "0-14" or "0-169425243" or "0-11" or "0-13" or "0-63809083" or "0-63863438" or "0-15" or "0-46510720";
        Incomplete(
            action,
            step,
            isKnown ? FindingCode.IncompleteAction : FindingCode.UnknownAction,
            isKnown ? $"This setting of an action `{id}` has no counterpart." : $"Actions `{id}` are not known to the import.");
    }

    private bool Task(Node typeId, Node fields, Step step, string queue, string what, bool isMarketing)
    {
        step.Worker = new WorkerAction { Queue = queue, MarketingEmail = isMarketing };
        foreach (var (name, value) in fields.Members())
        {
            AddField(step.Worker, name, value);
        }

        typeId.Adapted(FindingCode.HandedToWorker, $"A task of queue `{queue}`, with the fields of the action: a worker {what}.");
        return true;
    }

    private void AddField(WorkerAction worker, string name, Node value)
    {
        if (value.IsScalar)
        {
            AddText(worker, name, Text(value));
            return;
        }

        var json = value.Json();
        value.KeepAll();
        if (json.Contains("{{", StringComparison.Ordinal))
        {
            value.Adapted(FindingCode.Rewritten, "Tokens inside of it stay as they are; the worker fills them in.");
        }

        AddText(worker, name, json);
    }

    /// <summary>A long text goes into several fields: <c>source</c>, <c>source_2</c>, ...</summary>
    private static void AddText(WorkerAction worker, string name, string text)
    {
        var key = name.Length is > 0 and <= 90 && name[0] is not ('.' or '!' or '/' or ':') ? name : $"field-{worker.Fields.Count + 1}";
        var (at, part) = (0, 0);
        do
        {
            var end = Math.Min(text.Length, at + FieldLengthMax);

            // Not between the two halves of a character.
            end -= end < text.Length && char.IsHighSurrogate(text[end - 1]) ? 1 : 0;
            part++;
            worker.Fields.Add(new Field { Name = part == 1 ? key : string.Create(CultureInfo.InvariantCulture, $"{key}_{part}"), Text = text[at..end] });
            at = end;
        }
        while (at < text.Length);
    }

    private void Webhook(Node action, Step step)
    {
        var worker = new WorkerAction { Queue = "webhook" };
        step.Worker = worker;
        AddField(worker, "method", action["method"]);
        AddField(worker, "url", action["webhookUrl"]);
        foreach (var parameter in action["queryParams"].Items())
        {
            AddInput(worker, "query", parameter);
        }

        if (action["authSettings"].Exists)
        {
            AddField(worker, "auth", action["authSettings"]);
            action["authSettings"].Adapted(FindingCode.HandedToWorker, "The worker needs the key or secret that is named here; a definition has only its name.");
        }

        action["type"].Adapted(FindingCode.HandedToWorker, "A task of queue `webhook`: a worker calls the address and sends the record.");
    }

    private void CustomCode(Node action, Step step)
    {
        var worker = new WorkerAction { Queue = "custom-code" };
        step.Worker = worker;
        AddField(worker, "runtime", action["runtime"]);
        AddText(worker, "source", action["sourceCode"].Text() ?? "");
        foreach (var input in action["inputFields"].Items())
        {
            AddInput(worker, "input", input);
        }

        foreach (var name in (string[])["outputFields", "secretNames"])
        {
            if (action[name].Exists)
            {
                AddField(worker, name, action[name]);
            }
        }

        if (action["secretNames"].Items().Count > 0)
        {
            action["secretNames"].Adapted(FindingCode.HandedToWorker, "The worker needs the secrets; a definition has only their names.");
        }

        action["type"].Adapted(FindingCode.HandedToWorker, "A task of queue `custom-code` with the source: a worker runs it (ACT-61). Roster itself runs no code of users.");
    }

    /// <summary>An input is a property that is sent along, or a text.</summary>
    private void AddInput(WorkerAction worker, string prefix, Node input)
    {
        var name = $"{prefix}.{input["name"].Text()}";
        var value = input["value"];
        var type = value["type"].Word();
        if (type == "OBJECT_PROPERTY")
        {
            var property = Ids.KeepName(value["propertyName"], "property");
            if (!worker.Properties.Contains(property))
            {
                worker.Properties.Add(property);
                _guess.Property(ObjectType, property);
            }

            AddText(worker, name, $"{{{{{property}}}}}");
            value.Adapted(FindingCode.HandedToWorker, $"The property is sent along; field `{name}` says where it goes.");
        }
        else if (type is "STATIC_VALUE" or "" && value["staticValue"].Exists)
        {
            AddField(worker, name, value["staticValue"]);
        }
        else
        {
            AddField(worker, name, value);
            value.Adapted(FindingCode.HandedToWorker, $"Field `{name}` has the source of the value; the worker resolves it.");
        }
    }

    private bool CreateTask(Node fields, Step step)
    {
        var task = new CreateTask { Title = Text(fields["subject"]), Body = Text(fields["body"]) };
        step.CreateTask = task;
        if (fields["task_type"].Word() is not (PlainTask or ""))
        {
            fields["task_type"].Unsupported(FindingCode.NoCounterpart, "A task has no type here.");
        }

        if (fields["priority"].Word() is not ("NONE" or ""))
        {
            fields["priority"].Unsupported(FindingCode.NoCounterpart, "A task has no priority here.");
        }

        var due = fields["due_time"];
        if (due.IsObject)
        {
            task.Due = new Delay();
            if (!Amount(due, task.Due))
            {
                due.Unsupported(FindingCode.UnknownValue, "The due time cannot be said. Publishing refuses it until it is replaced.");
            }
        }

        Associations(fields, "task");
        return true;
    }

    private bool CreateNote(Node fields, Step step)
    {
        var body = fields["note_body"].Exists ? fields["note_body"] : fields["body"];
        step.CreateNote = new CreateNote { Body = Text(body) };
        Associations(fields, "note");
        return body.Exists;
    }

    private bool CreateRecord(Node fields, Step step)
    {
        var create = new CreateRecord { ObjectType = AssociationTypes.ObjectType(fields["object_type_id"]) };
        step.CreateRecord = create;
        foreach (var property in fields["properties"].Items())
        {
            var name = Ids.KeepName(property["targetProperty"], "property");
            if (Source(property["value"]) is not { } source)
            {
                return false;
            }

            create.Properties.Add(new PropertyAssignment { Property = name, Value = source });
            _guess.Property(create.ObjectType, name);
        }

        create.Label = Associations(fields, create.ObjectType);
        return true;
    }

    /// <summary>Links of a new record. The one with the enrolled record is made anyway; returns its label.</summary>
    private static string Associations(Node fields, string of)
    {
        if (fields["use_explicit_associations"].Exists)
        {
            fields["use_explicit_associations"].Text();
            fields["use_explicit_associations"].Adapted(FindingCode.Rewritten, "A record that is created is linked to the enrolled one, and to no other.");
        }

        var label = "";
        foreach (var association in fields["associations"].Items())
        {
            var value = association["value"];
            if (value["type"].Word() == "ENROLLED_OBJECT")
            {
                label = AssociationTypes.LabelOf(association["target"]);
                continue;
            }

            association.Unsupported(FindingCode.NoCounterpart, $"A new {of} is linked to the enrolled record only; this link has to be made by a step of its own.");
        }

        return label;
    }

    private bool RotateOwner(Node fields, Step step)
    {
        var users = fields["user_ids"].Items();
        step.RotateOwner = new RotateOwner { Property = "hubspot_owner_id", OverwriteCurrentOwner = fields["overwrite_current_owner"].Flag() };
        step.RotateOwner.Users.AddRange(users.Select(user => user.Text()).OfType<string>());
        if (fields["target_property"].Text() is { Length: > 0 })
        {
            step.RotateOwner.Property = Ids.KeepName(fields["target_property"], "property");
        }

        _guess.Property(ObjectType, step.RotateOwner.Property, PropertyType.Types.Kind.String);
        return users.Count > 0;
    }

    private bool ChangeList(Node fields, Step step) => fields["operation"].Word() switch
    {
        "ADD" => AddToList(fields, step),
        "REMOVE" => RemoveFromList(fields, step),
        _ => false,
    };

    private bool AddToList(Node fields, Step step)
    {
        step.AddToList = new AddToList { ListId = _criteria.ListId(ListOf(fields), ObjectType) };
        return step.AddToList.ListId.Length > 0;
    }

    private bool RemoveFromList(Node fields, Step step)
    {
        step.RemoveFromList = new RemoveFromList { ListId = _criteria.ListId(ListOf(fields), ObjectType) };
        return step.RemoveFromList.ListId.Length > 0;
    }

    private static Node ListOf(Node fields) => fields["listId"].Exists ? fields["listId"] : fields["list_id"];

    private static bool EnrollInWorkflow(Node fields, Step step)
    {
        var flow = fields["flow_id"].Exists ? fields["flow_id"] : fields["flowId"];
        if (flow.Text() is not { Length: > 0 } id)
        {
            return false;
        }

        step.EnrollInWorkflow = new EnrollInWorkflow { WorkflowId = Ids.OfFlow(id) };
        flow.Adapted(FindingCode.Renamed, $"The workflow is `{Ids.OfFlow(id)}` here, when it is imported too.");
        return true;
    }

    private static bool EnrollInSequence(Node fields, Step step)
    {
        step.EnrollInSequence = new EnrollInSequence { SequenceId = Ids.Keep(fields["sequenceId"], "sequence") };
        foreach (var name in (string[])["senderType", "contactOwnerProperty", "shouldUseContactTimeZone"])
        {
            if (fields[name].Exists)
            {
                fields[name].Text();
                fields[name].Unsupported(FindingCode.NoCounterpart, "Who sends, and in which zone, are settings of the sequence.");
            }
        }

        return step.EnrollInSequence.SequenceId.Length > 0;
    }

    private static bool UnenrollFromSequence(Node fields, Step step)
    {
        step.UnenrollFromSequence = new UnenrollFromSequence { SequenceId = Ids.Keep(fields["sequenceId"], "sequence") };
        return true;
    }

    private static bool DeleteRecord(Step step)
    {
        step.DeleteRecord = new DeleteRecord();
        return true;
    }
}
