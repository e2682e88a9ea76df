using System.Globalization;
using Google.Protobuf.Collections;
using Roster.V1;

namespace Roster.Import.Internal;

/// <content>Actions by the ids that HubSpot gives them (section 15 of the rules).</content>
internal sealed partial class FlowReader
{
    // The most text that a field of a task holds.
    private const int FieldLengthMax = 10_000;

    // The most text that a source, or a part of a message, holds.
    private const int PartLengthMax = 100_000;

    // What HubSpot calls a task that is neither a call nor an e-mail.
    private const string PlainTask = "TO" + "DO";

    /// <summary>Actions that leave the engine: the queue of the worker that carries them out, and what it does.</summary>
    private static readonly Dictionary<string, (string Queue, string What)> Workers = new(StringComparer.Ordinal)
    {
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

    /// <summary>Messages to people: the channel, the queue of the worker that sends them, and what it does.</summary>
    private static readonly Dictionary<string, (SendMessage.Types.Channel Channel, string Queue, string What)> Messages = new(StringComparer.Ordinal)
    {
        ["0-4"] = (SendMessage.Types.Channel.MarketingEmail, "mail", "sends the marketing e-mail"),
        ["0-8"] = (SendMessage.Types.Channel.InternalEmail, "internal-mail", "sends the internal e-mail"),
        ["0-23"] = (SendMessage.Types.Channel.InternalEmail, "internal-mail", "sends the internal e-mail"),
        ["0-9"] = (SendMessage.Types.Channel.Notification, "notification", "shows the notification"),
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
            ReadWebhook(action, step);
            return;
        }

        if (type == "CUSTOM_CODE")
        {
            ReadCode(action, step);
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
            _ when Messages.TryGetValue(id, out var message) => Message(typeId, fields, step, message.Channel, message.Queue, message.What),
            _ when Workers.TryGetValue(id, out var worker) => Task(typeId, fields, step, worker.Queue, worker.What),
            _ when id.StartsWith("1-", StringComparison.Ordinal) => Task(typeId, fields, step, $"app-{Ids.Slug(id)}", "does what the app did"),
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

    private bool Task(Node typeId, Node fields, Step step, string queue, string what)
    {
        step.Worker = new WorkerAction { Queue = queue };
        foreach (var (name, value) in fields.Members())
        {
            AddField(step.Worker.Fields, name, value);
        }

        typeId.Adapted(FindingCode.HandedToWorker, $"A task of queue `{queue}`, with the fields of the action: a worker {what}.");
        return true;
    }

    /// <summary>What is said to people is a part of the message; all else is a field of its task. Without anybody to send to, or for a record that is no contact, it is a plain task.</summary>
    private bool Message(Node typeId, Node fields, Step step, SendMessage.Types.Channel channel, string queue, string what)
    {
        var isMarketing = channel == SendMessage.Types.Channel.MarketingEmail;
        var users = fields["user_ids"];
        var hasRecipient = isMarketing ? ObjectType == "contact" : users.IsArray && users.Items().Any(user => user.Text() is { Length: > 0 });
        if (!hasRecipient)
        {
            Task(typeId, fields, step, queue, what);
            step.Worker.MarketingEmail = isMarketing;
            return true;
        }

        if (isMarketing)
        {
            _guess.Property(ObjectType, "email");
        }

        var message = new SendMessage { Channel = channel, Queue = queue };
        step.SendMessage = message;
        foreach (var (name, value) in fields.Members())
        {
            switch (name)
            {
                case "content_id" when isMarketing && value.IsScalar:
                    message.Template = value.Text() ?? "";
                    break;
                case "user_ids" when !isMarketing:
                    message.To.AddRange(value.Items().Select(user => user.Text()).OfType<string>().Where(user => user.Length > 0));
                    break;
                case "subject" when value.IsScalar:
                    message.Subject = Text(value);
                    break;
                case "body" when value.IsScalar:
                    message.Text = Text(value);
                    break;
                default:
                    AddField(message.Fields, name, value);
                    break;
            }
        }

        typeId.Adapted(FindingCode.HandedToWorker, $"A message of queue `{queue}`: a worker {what}.");
        return true;
    }

    private void AddField(RepeatedField<Field> into, string name, Node value)
    {
        if (value.IsScalar)
        {
            AddText(into, name, Text(value));
            return;
        }

        var json = value.Json();
        value.KeepAll();
        if (json.Contains("{{", StringComparison.Ordinal))
        {
            value.Adapted(FindingCode.Rewritten, "Tokens inside of it stay as they are; the worker fills them in.");
        }

        AddText(into, name, json);
    }

    /// <summary>A long text goes into several fields: <c>source</c>, <c>source_2</c>, ...</summary>
    private static void AddText(RepeatedField<Field> into, string name, string text)
    {
        var key = name.Length is > 0 and <= 90 && name[0] is not ('.' or '!' or '/' or ':') ? name : $"field-{into.Count + 1}";
        var (at, part) = (0, 0);
        do
        {
            var end = Math.Min(text.Length, at + FieldLengthMax);

            // Not between the two halves of a character.
            end -= end < text.Length && char.IsHighSurrogate(text[end - 1]) ? 1 : 0;
            part++;
            into.Add(new Field { Name = part == 1 ? key : string.Create(CultureInfo.InvariantCulture, $"{key}_{part}"), Text = text[at..end] });
            at = end;
        }
        while (at < text.Length);
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
