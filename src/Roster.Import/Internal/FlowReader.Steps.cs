using System.Globalization;
using Roster.Core.Schema;
using Roster.V1;

namespace Roster.Import.Internal;

/// <content>Steps, and how they are connected (IMP-03).</content>
internal sealed partial class FlowReader
{
    private readonly Dictionary<string, string> _stepIds = new(StringComparer.Ordinal);
    private readonly HashSet<string> _usedIds = new(StringComparer.Ordinal);
    private readonly List<(string From, string To)> _edges = [];
    private readonly List<Step> _goTos = [];
    private string _current = "";

    private void Steps()
    {
        foreach (var action in _actions)
        {
            NameStep(action["actionId"]);
        }

        foreach (var action in _actions)
        {
            _workflow.Steps.Add(Step(action));
        }

        _workflow.Steps.AddRange(_goTos);
        First();
        Unreachable();
    }

    private void NameStep(Node node)
    {
        var id = node.Text() ?? "";
        if (id.Length == 0)
        {
            node.Unsupported(FindingCode.Missing, "The action has no id. Publishing refuses it until it has one.");
        }
        else if (!_stepIds.TryAdd(id, Names.IsId(id) ? id : Free(Ids.Slug(id))))
        {
            node.Unsupported(FindingCode.DuplicateAction, "Another action has this id. Publishing refuses the workflow until one is renamed.");
        }
        else if (_stepIds[id] != id)
        {
            node.Adapted(FindingCode.Renamed, $"The step is `{_stepIds[id]}` here: ids have 1 to 100 characters of a-z, 0-9, _ and -.");
        }

        _usedIds.Add(_stepIds.GetValueOrDefault(id, id));
    }

    private string Free(string id)
    {
        var free = id;
        for (var n = 2; _usedIds.Contains(free); n++)
        {
            free = string.Create(CultureInfo.InvariantCulture, $"{id}-{n}");
        }

        _usedIds.Add(free);
        return free;
    }

    private string StepId(string actionId) => _stepIds.GetValueOrDefault(actionId, actionId);

    private Step Step(Node action)
    {
        _current = action["actionId"].Text() ?? "";
        var step = new Step { Id = StepId(_current) };
        var type = action["type"].Word();
        if (type.Length == 0)
        {
            type = Guess(action);
            if (type.Length > 0)
            {
                action["type"].Adapted(FindingCode.Missing, $"The action does not say its type; by its fields it is {type}.");
            }
        }

        switch (type)
        {
            case "LIST_BRANCH":
                ListBranch(action, step);
                break;
            case "STATIC_BRANCH":
                StaticBranch(action, step);
                break;
            case "AB_TEST_BRANCH":
                Split(action, step);
                break;
            case "SINGLE_CONNECTION" or "WEBHOOK" or "CUSTOM_CODE":
                step.Next = Connection(action["connection"]);
                Action(action, type, step);
                break;
            default:
                step.Next = Connection(action["connection"]);
                Incomplete(action, step, FindingCode.UnknownAction, $"Actions of type `{type}` are not known.");
                break;
        }

        return step;
    }

    private static string Guess(Node action)
    {
        var fields = new[] { ("listBranches", "LIST_BRANCH"), ("staticBranches", "STATIC_BRANCH"), ("testBranches", "AB_TEST_BRANCH"), ("webhookUrl", "WEBHOOK"), ("sourceCode", "CUSTOM_CODE"), ("actionTypeId", "SINGLE_CONNECTION") };
        return fields.FirstOrDefault(field => action[field.Item1].Exists).Item2 ?? "";
    }

    /// <summary>A step without a kind, which publishing refuses, with what it came from (IMP-05).</summary>
    private static void Incomplete(Node action, Step step, FindingCode code, string reason)
    {
        step.ClearKind();
        step.SourceJson = action.Json();
        var place = action["actionTypeId"].Exists ? action["actionTypeId"] : action["type"];
        place.Text();
        place.Unsupported(code, $"{reason} The step is left incomplete and keeps the source; publishing refuses it until it is replaced.");
        action["fields"].Unsupported(code, reason);
    }

    /// <summary>The id of the step that a connection leads to; empty when there is none.</summary>
    private string Connection(Node connection)
    {
        // Some write the default branch as an object around its connection.
        if (connection["connection"].Exists && !connection["nextActionId"].Exists)
        {
            connection["connection"].Adapted(FindingCode.Rewritten, "The connection stands in an object of its own.");
            connection = connection["connection"];
        }

        var next = connection["nextActionId"];
        var edge = connection["edgeType"].Word();
        if (next.Text() is not { Length: > 0 } id)
        {
            return "";
        }

        _edges.Add((_current, id));
        if (!_stepIds.ContainsKey(id))
        {
            next.Unsupported(FindingCode.DanglingConnection, $"There is no action `{id}`. Publishing refuses the workflow until it is connected.");
        }

        if (edge is not ("STANDARD" or "GOTO" or ""))
        {
            connection["edgeType"].Unsupported(FindingCode.UnknownValue, "An edge is STANDARD or GOTO. It is taken as STANDARD.");
        }

        if (edge != "GOTO")
        {
            return StepId(id);
        }

        var goTo = GoTo(id);
        connection["edgeType"].Note(FindingCode.GoTo, $"Step `{goTo}` goes on at `{StepId(id)}`.");
        return goTo;
    }

    private string GoTo(string actionId)
    {
        var id = Free($"{(_current.Length > 0 ? StepId(_current) : "start")}-goto");
        _goTos.Add(new Step { Id = id, GoTo = new GoTo { Step = StepId(actionId) } });
        return id;
    }

    private void First()
    {
        var start = _flow["startActionId"];
        if (start.Text() is { Length: > 0 } id)
        {
            _workflow.FirstStep = StepId(id);
            if (!_stepIds.ContainsKey(id))
            {
                start.Unsupported(FindingCode.DanglingConnection, $"There is no action `{id}`. Publishing refuses the workflow until it has a first step.");
            }
        }
        else if (_actions.Count > 0)
        {
            start.Adapted(FindingCode.Missing, "The flow names no first action; it is the first of the list.");
        }

        if (_actions.Count == 0)
        {
            _flow["actions"].Unsupported(FindingCode.Missing, "The flow has no actions. Publishing refuses a workflow without steps.");
        }
    }

    private void Unreachable()
    {
        if (_actions.Count == 0)
        {
            return;
        }

        var reached = new HashSet<string>(StringComparer.Ordinal);
        var stack = new Stack<string>([_flow["startActionId"].Text() is { Length: > 0 } start ? start : _actions[0]["actionId"].Text() ?? ""]);
        var next = _edges.ToLookup(edge => edge.From, edge => edge.To, StringComparer.Ordinal);
        while (stack.TryPop(out var id))
        {
            if (reached.Add(id))
            {
                foreach (var to in next[id])
                {
                    stack.Push(to);
                }
            }
        }

        foreach (var action in _actions.Where(action => !reached.Contains(action["actionId"].Text() ?? "")))
        {
            action.Note(FindingCode.UnreachableAction, $"No path leads to action `{action["actionId"].Text()}`. It is imported as it is.");
        }
    }

    private void ListBranch(Node action, Step step)
    {
        step.Branch = new Branch();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var index = 0;
        foreach (var branch in action["listBranches"].Items())
        {
            index++;
            step.Branch.Branches.Add(new IfBranch
            {
                Name = BranchName(branch["branchName"], index, names),
                Criteria = _criteria.Read(branch["filterBranch"], ObjectType),
                Next = Connection(branch["connection"]),
            });
        }

        step.Branch.DefaultNext = Connection(action["defaultBranch"]);
        step.Branch.DefaultName = action["defaultBranchName"].Text() ?? "";
        NoteDefault(action, step.Branch.DefaultNext);
    }

    private static void NoteDefault(Node action, string next)
    {
        if (next.Length == 0)
        {
            action["defaultBranch"].Note(FindingCode.NoDefault, "There is no default: who no branch accepts completes here (BRA-03).");
        }
    }

    private static string BranchName(Node node, int index, HashSet<string> names)
    {
        var given = node.Text() ?? "";
        var name = given.Length > 0 ? given : string.Create(CultureInfo.InvariantCulture, $"Branch {index}");
        var cut = name.Length <= Names.LengthMax ? name : name[..Names.LengthMax];
        var unique = cut;
        for (var n = 2; !names.Add(unique); n++)
        {
            var suffix = string.Create(CultureInfo.InvariantCulture, $" ({n})");
            unique = cut[..Math.Min(cut.Length, Names.LengthMax - suffix.Length)] + suffix;
        }

        if (given.Length > 0 && unique != given)
        {
            node.Adapted(FindingCode.Renamed, $"The branch is `{unique}` here: names are unique in a step and have at most {Names.LengthMax} characters.");
        }

        return unique;
    }

    private void StaticBranch(Node action, Step step)
    {
        var branch = new ValueBranch();
        step.ValueBranch = branch;
        var input = action["inputValue"];
        switch (input["type"].Word())
        {
            case "FIELD_DATA":
                branch.OutputOf = StepId(input["actionId"].Text() ?? "");
                branch.OutputName = Ids.KeepName(input["dataKey"], "output");
                break;
            case "OBJECT_PROPERTY" or "" when input["propertyName"].Exists:
                branch.Property = Ids.KeepName(input["propertyName"], "property");
                break;
            default:
                input.Unsupported(FindingCode.NoCounterpart, "A branch by value looks at a property or at an output of an earlier step. Publishing refuses it until it does.");
                break;
        }

        foreach (var way in action["staticBranches"].Items())
        {
            var value = way["branchValue"].Text() ?? "";
            if (branch.Cases.Any(known => string.Equals(known.Value, value, StringComparison.OrdinalIgnoreCase)))
            {
                way["branchValue"].Unsupported(FindingCode.UnknownValue, "The value is there twice; text ignores case (BRA-02). Publishing refuses the second.");
            }

            branch.Cases.Add(new ValueCase { Value = value, Next = Connection(way["connection"]) });
        }

        _guess.Property(ObjectType, branch.Property, PropertyType.Types.Kind.Unspecified, branch.Cases.Select(known => known.Value));
        branch.DefaultNext = Connection(action["defaultBranch"]);
        branch.DefaultName = action["defaultBranchName"].Text() ?? "";
        NoteDefault(action, branch.DefaultNext);
    }

    private void Split(Node action, Step step)
    {
        step.RandomSplit = new RandomSplit();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var index = 0;
        foreach (var test in action["testBranches"].Items())
        {
            var path = new SplitPath { Name = BranchName(test["branchName"], ++index, names), Next = Connection(test["connection"]) };
            if (test["percentage"].Int() is { } percent)
            {
                path.Percent = percent;
            }

            step.RandomSplit.Paths.Add(path);
        }
    }
}
