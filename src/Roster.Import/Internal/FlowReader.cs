using System.Globalization;
using Roster.V1;

namespace Roster.Import.Internal;

/// <summary>One flow as one workflow: who enrolls, what ends it, when it may run (IMP-04); its steps are in the other files.</summary>
internal sealed partial class FlowReader
{
    private readonly Node _flow;
    private readonly IReadOnlyList<Node> _actions;
    private readonly string _id;
    private readonly SchemaGuess _guess;
    private readonly CriteriaReader _criteria;
    private readonly Workflow _workflow = new();

    /// <param name="flow">The flow; a place where nothing is for actions alone.</param>
    /// <param name="actions">Its actions.</param>
    /// <param name="id">Id of the workflow; null for one made of the flow's.</param>
    /// <param name="guess">Hears which properties and lists are named.</param>
    public FlowReader(Node flow, IReadOnlyList<Node> actions, string? id, SchemaGuess guess)
    {
        _flow = flow;
        _actions = actions;
        _id = id ?? "";
        _guess = guess;
        _criteria = new CriteriaReader(guess);
    }

    private string ObjectType => _workflow.ObjectType;

    public Workflow Read()
    {
        Identity();
        Bookkeeping();
        DataSources();
        Start();
        Ends();
        Windows();
        Steps();
        return _workflow;
    }

    private void Identity()
    {
        var id = _flow["id"];
        var name = _flow["name"].Text() ?? "";
        _workflow.Id = _id.Length > 0 ? _id : id.Text() is { Length: > 0 } number ? Ids.OfFlow(number) : Ids.Slug(name);
        if (id.Exists)
        {
            id.Text();
            id.Adapted(FindingCode.Renamed, $"The workflow is `{_workflow.Id}` here.");
        }

        _workflow.DisplayName = name;
        _workflow.Description = _flow["description"].Text() ?? "";
        var type = _flow["type"];
        var kind = type.Word();
        var typeId = _flow["objectTypeId"];
        _workflow.ObjectType = AssociationTypes.ObjectType(typeId);
        if (ObjectType.Length == 0)
        {
            _workflow.ObjectType = "contact";
            typeId.Adapted(FindingCode.Missing, "No object type is named; a flow without one is about contacts.");
        }

        if (kind is not ("CONTACT_FLOW" or "PLATFORM_FLOW"))
        {
            if (kind.Length == 0)
            {
                type.Adapted(FindingCode.Missing, "The flow does not say what it is; it is read as a flow of the version 4.");
            }
            else
            {
                type.Unsupported(FindingCode.UnknownValue, "Flows are CONTACT_FLOW or PLATFORM_FLOW. It is read as one of them as far as it goes.");
            }
        }

        var flowType = _flow["flowType"];
        if (flowType.Word() is not ("WORKFLOW" or ""))
        {
            flowType.Unsupported(FindingCode.UnknownValue, "Only flows of type WORKFLOW enroll records.");
        }

        var isEnabled = _flow["isEnabled"];
        if (isEnabled.Flag())
        {
            isEnabled.Adapted(FindingCode.NotTurnedOn, "The flow was on. An import makes a draft and never turns anything on (IMP-01).");
        }
    }

    private void Bookkeeping()
    {
        foreach (var (name, reason) in new[]
        {
            ("revisionId", "Revisions are counted anew here."),
            ("createdAt", "The draft has its own times."),
            ("updatedAt", "The draft has its own times."),
            ("nextAvailableActionId", "Ids of steps are chosen by whoever writes the definition."),
            ("uuid", "A workflow is known by its id."),
            ("crmObjectCreationStatus", "It says how far the other system was with creating the flow."),
        })
        {
            if (_flow[name].Exists)
            {
                _flow[name].Text();
                _flow[name].Adapted(FindingCode.Bookkeeping, reason);
            }
        }

        var custom = _flow["customProperties"];
        if (custom.Members().Count > 0)
        {
            custom.Unsupported(FindingCode.NoCounterpart, "Workflows have no properties of their own here.");
        }
    }

    private void DataSources()
    {
        foreach (var source in _flow["dataSources"].Items())
        {
            var type = source["type"].Word();
            if (type is not ("ASSOCIATION" or "ASSOCIATION_TIMESTAMP"))
            {
                source.Unsupported(FindingCode.NoCounterpart, $"A data source is an associated record here; {(type.Length == 0 ? "this one has no type" : $"{type} is none")}. Values that name it are refused at publish.");
                continue;
            }

            var read = new DataSource
            {
                Name = Ids.Keep(source["name"], "data source"),
                ObjectType = AssociationTypes.ObjectType(source["objectTypeId"]),
                Label = AssociationTypes.LabelOf(source),
            };
            var sort = source["sortBy"];
            if (sort.Exists)
            {
                read.SortBy = Ids.KeepName(sort["property"], "property");
                read.Descending = sort["order"].Word() == "DESC";
                _guess.Property(read.ObjectType, read.SortBy);
                if (sort["missing"].Exists)
                {
                    sort["missing"].Text();
                    sort["missing"].Adapted(FindingCode.Rewritten, "Records without the property come last.");
                }
            }

            _workflow.DataSources.Add(read);
        }
    }

    private void Ends()
    {
        var lists = _flow["suppressionListIds"].Items();
        _workflow.SuppressionLists.AddRange(lists.Select(list => _criteria.ListId(list, ObjectType)));
        if (_flow["suppressionFilterBranch"].Exists)
        {
            _workflow.UnenrollWhen = _criteria.Read(_flow["suppressionFilterBranch"], ObjectType);
        }

        if (_flow["goalFilterBranch"].Exists)
        {
            _workflow.Goals.Add(new Goal { Id = "goal", DisplayName = "Goal", Criteria = _criteria.Read(_flow["goalFilterBranch"], ObjectType) });
        }

        _workflow.AllowExternalCrm = _flow["canEnrollFromSalesforce"].Flag();
        var unenroll = _flow["unEnrollmentSetting"];
        if (!unenroll.Exists)
        {
            return;
        }

        var flows = unenroll["flowIds"].Items();
        var ids = flows.Select(flow => Ids.OfFlow(flow.Text() ?? "")).ToList();
        foreach (var flow in flows)
        {
            flow.Adapted(FindingCode.Renamed, $"The workflow is `{Ids.OfFlow(flow.Text() ?? "")}` here, when it is imported too.");
        }

        switch (unenroll["type"].Word())
        {
            case "ALL":
                _workflow.UnenrollFrom = new UnenrollFrom { All = true };
                break;
            case "SELECTIVE":
                _workflow.UnenrollFrom = new UnenrollFrom { WorkflowIds = { ids } };
                break;
            case "NONE":
                break;
            default:
                // An id that no workflow has.
                _workflow.UnenrollFrom = new UnenrollFrom { WorkflowIds = { "" } };
                unenroll.Unsupported(FindingCode.UnknownValue, "Other workflows are left ALL or SELECTIVE. Publishing refuses the setting until it is replaced.");
                break;
        }
    }

    private void Windows()
    {
        var windows = _flow["timeWindows"].Items();
        var blocked = _flow["blockedDates"].Items();
        if (windows.Count == 0 && blocked.Count == 0)
        {
            return;
        }

        _workflow.ExecutionWindows = new ExecutionWindows();
        foreach (var window in windows)
        {
            _workflow.ExecutionWindows.Windows.Add(new ExecutionWindow
            {
                Weekdays = { Day(window["day"]) },
                Start = Time(window["startTime"]) ?? "00:00",
                End = Time(window["endTime"]) ?? "00:00",
            });
        }

        foreach (var date in blocked)
        {
            var (month, day, year) = (CriteriaReader.Month(date["month"]), date["dayOfMonth"].Int(), date["year"].Int());
            if (month is null || day is not (>= 1 and <= 31))
            {
                date.Unsupported(FindingCode.WrongType, "A blocked date has a month and a day. Publishing refuses it until it is replaced.");
            }

            _workflow.ExecutionWindows.BlockedDates.Add(year is null
                ? string.Create(CultureInfo.InvariantCulture, $"{month ?? 0:00}-{day ?? 0:00}")
                : string.Create(CultureInfo.InvariantCulture, $"{year:0000}-{month ?? 0:00}-{day ?? 0:00}"));
        }
    }

    /// <summary>A day of the week; what is none stays unspecified, which publishing refuses.</summary>
    private static Weekday Day(Node node)
    {
        if (!WireNames.TryParse(node.Word(), out Weekday day))
        {
            node.Unsupported(FindingCode.UnknownValue, "A day is MONDAY to SUNDAY. Publishing refuses it until it is replaced.");
        }

        return day;
    }

    /// <summary>A time of day as <c>09:30</c>; null when there is none. What is no time becomes a text that publishing refuses.</summary>
    private static string? Time(Node node)
    {
        if (!node.Exists)
        {
            return null;
        }

        var (hour, minute) = (node["hour"].Int() ?? 0, node["minute"].Int() ?? 0);
        if (!node.IsObject || hour is < 0 or > 23 || minute is < 0 or > 59)
        {
            // 24:00 is how some say the end of a day; it is where the next one begins.
            var isEnd = node.IsObject && hour == 24 && minute == 0;
            if (!isEnd)
            {
                node.Unsupported(FindingCode.WrongType, "A time of day has an hour of 0 to 23 and a minute of 0 to 59. Publishing refuses it until it is replaced.");
            }

            return isEnd ? "00:00" : "no time";
        }

        return string.Create(CultureInfo.InvariantCulture, $"{hour:00}:{minute:00}");
    }
}
