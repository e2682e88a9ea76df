using Roster.Cli.Json;
using Roster.V1;

namespace Roster.Cli.Apply;

/// <summary>Hears what an <see cref="ApplyRun"/> does.</summary>
internal abstract class ApplyListener
{
    /// <summary>Something was refused.</summary>
    public abstract void OnProblem(string sentence);

    /// <summary>Something is to be looked at.</summary>
    public virtual void OnWarning(string sentence)
    {
    }

    /// <summary>Settings were changed.</summary>
    public virtual void OnSettings()
    {
    }

    /// <summary>An object type and its properties were declared.</summary>
    public virtual void OnObjectType(ObjectType type)
    {
    }

    /// <summary>A workflow is about to be saved.</summary>
    public virtual void BeforeSave()
    {
    }

    /// <summary>A draft was saved, and is to stay one.</summary>
    public virtual void OnDraft(Workflow saved)
    {
    }

    /// <summary>The inbox of a user was saved.</summary>
    public virtual void OnInbox(Inbox saved)
    {
    }

    /// <summary>A sequence was saved.</summary>
    public virtual void OnSequence(ApplyFile file, SaveSequenceResponse saved)
    {
    }

    /// <summary>A list was saved.</summary>
    public virtual void OnList(SaveListResponse saved)
    {
    }

    /// <summary>A draft became a version.</summary>
    public virtual void OnPublished(ApplyFile file, PublishWorkflowResponse published)
    {
    }

    /// <summary>A workflow has come to its state.</summary>
    public virtual void OnDone(Workflow workflow)
    {
    }
}

/// <summary>
/// Applies files together: schema, drafts, lists and versions, switches, each for all files before the next. So files and the workflows and
/// lists in them may name each other whatever order they come in: what is named is there, as a draft, before anything is published.
/// </summary>
/// <param name="target">Where.</param>
/// <param name="listener">Hears what is done.</param>
/// <param name="isDraft">Stops after the drafts; lists, which have none, are left as they are.</param>
/// <param name="switchesOn">Whether a workflow of a file is switched on, by its id.</param>
internal sealed class ApplyRun(IDefinitionTarget target, ApplyListener listener, bool isDraft, Func<ApplyFile, string, bool> switchesOn)
{
    /// <summary>Applies; returns how many parts were refused.</summary>
    public async Task<int> RunAsync(IReadOnlyList<(string Name, ApplyFile File)> files, CancellationToken cancellationToken)
    {
        var failed = 0;
        foreach (var (name, file) in files)
        {
            if (file.Tenant is { } tenant)
            {
                failed += await TryAsync(new Part(name, "tenant", file), () => ApplyTenantAsync(tenant, cancellationToken));
            }
        }

        var drafts = new List<Draft>();
        foreach (var part in WorkflowsOf(files))
        {
            failed += await TryAsync(part.Part, async () => drafts.Add(new Draft(part.Part, await SaveAsync(part.Workflow, cancellationToken))));
        }

        if (isDraft)
        {
            drafts.ForEach(draft => listener.OnDraft(draft.Saved));
            return failed;
        }

        failed += await SaveSequencesAsync(files, cancellationToken);
        var lists = files.SelectMany(file => file.File.Lists.Select(list => (Part: new Part(file.Name, list.Path, file.File), list.List))).ToList();
        var published = new HashSet<Draft>();
        var work = ListOrder.Sort(lists, item => item.List).Select(item => new Work(item.Part, () => SaveListAsync(item.List, cancellationToken)))
            .Concat(drafts.Select(draft => new Work(draft.Part, () => PublishAsync(draft, published, cancellationToken))));
        failed += await DoAsync([.. work]);
        foreach (var draft in drafts.Where(published.Contains))
        {
            failed += await TryAsync(draft.Part, () => SwitchAsync(draft, cancellationToken));
        }

        return failed;
    }

    /// <summary>Inboxes before sequences, and these before the workflows that enroll in them are published.</summary>
    private async Task<int> SaveSequencesAsync(IReadOnlyList<(string Name, ApplyFile File)> files, CancellationToken cancellationToken)
    {
        var failed = 0;
        foreach (var (name, file) in files)
        {
            foreach (var (path, inbox) in file.Inboxes)
            {
                failed += await TryAsync(
                    new Part(name, path, file), async () => listener.OnInbox(await target.SaveInboxAsync(new SaveInboxRequest { Inbox = inbox }, cancellationToken)));
            }
        }

        foreach (var (name, file) in files)
        {
            foreach (var (path, sequence) in file.Sequences)
            {
                listener.BeforeSave();
                failed += await TryAsync(
                    new Part(name, path, file),
                    async () => listener.OnSequence(file, await target.SaveSequenceAsync(new SaveSequenceRequest { Sequence = sequence, Force = true }, cancellationToken)));
            }
        }

        return failed;
    }

    /// <summary>Of several workflows with one id the last, at the place of the first.</summary>
    private IEnumerable<(Part Part, Workflow Workflow)> WorkflowsOf(IReadOnlyList<(string Name, ApplyFile File)> files)
    {
        var all = files.SelectMany(file => file.File.Workflows.Select(item => (Part: new Part(file.Name, item.Path, file.File), item.Workflow))).ToList();
        foreach (var same in all.GroupBy(item => item.Workflow.Id, StringComparer.Ordinal))
        {
            if (same.Count() > 1)
            {
                listener.OnWarning($"Workflow `{same.Key}` is given {same.Count()} times; the last counts, in {same.Last().Part.Name}.");
            }

            yield return same.Last();
        }
    }

    private async Task ApplyTenantAsync(Tenant tenant, CancellationToken cancellationToken)
    {
        if (tenant.Settings is not null)
        {
            await target.UpdateSettingsAsync(new UpdateSettingsRequest { Settings = tenant.Settings }, cancellationToken);
            listener.OnSettings();
        }

        foreach (var type in tenant.ObjectTypes)
        {
            await target.DeclareObjectTypeAsync(new DeclareObjectTypeRequest { ObjectType = type.Name }, cancellationToken);
            await target.DeclarePropertiesAsync(new DeclarePropertiesRequest { ObjectType = type.Name, Properties = { type.Properties } }, cancellationToken);
            listener.OnObjectType(type);
        }
    }

    private async Task<Workflow> SaveAsync(Workflow workflow, CancellationToken cancellationToken)
    {
        listener.BeforeSave();
        return await target.SaveWorkflowAsync(new SaveWorkflowRequest { Workflow = workflow, Force = true }, cancellationToken);
    }

    private async Task SaveListAsync(List list, CancellationToken cancellationToken) =>
        listener.OnList(await target.SaveListAsync(new SaveListRequest { List = list, Force = true }, cancellationToken));

    private async Task PublishAsync(Draft draft, HashSet<Draft> published, CancellationToken cancellationToken)
    {
        var answer = await target.PublishWorkflowAsync(
            new PublishWorkflowRequest { WorkflowId = draft.Saved.Id, Revision = draft.Saved.Revision }, cancellationToken);
        listener.OnPublished(draft.Part.File, answer);
        draft.Saved = answer.Workflow;
        published.Add(draft);
    }

    /// <summary>
    /// Does all. A list or a version may name what only another version has, such as a goal: what is refused is tried again as long as
    /// something else was done meanwhile.
    /// </summary>
    private async Task<int> DoAsync(IReadOnlyList<Work> pending)
    {
        while (pending.Count > 0)
        {
            var refused = new List<(Work Work, IReadOnlyList<string> Sentences)>();
            foreach (var work in pending)
            {
                IReadOnlyList<string>? sentences = null;
                try
                {
                    await work.Apply();
                }
                catch (Exception error) when ((sentences = target.Refusal(error, work.Part.File.Spell)) is not null)
                {
                    refused.Add((work, sentences!));
                }
            }

            if (refused.Count == pending.Count)
            {
                refused.ForEach(item => Tell(item.Work.Part, item.Sentences));
                return refused.Count;
            }

            pending = [.. refused.Select(item => item.Work)];
        }

        return 0;
    }

    private async Task SwitchAsync(Draft draft, CancellationToken cancellationToken)
    {
        var on = new SetWorkflowStateRequest { WorkflowId = draft.Saved.Id, State = Workflow.Types.State.On };
        listener.OnDone(switchesOn(draft.Part.File, draft.Saved.Id) ? await target.SetWorkflowStateAsync(on, cancellationToken) : draft.Saved);
    }

    private async Task<int> TryAsync(Part part, Func<Task> apply)
    {
        IReadOnlyList<string>? sentences = null;
        try
        {
            await apply();
            return 0;
        }
        catch (Exception error) when ((sentences = target.Refusal(error, part.File.Spell)) is not null)
        {
            Tell(part, sentences!);
            return 1;
        }
    }

    private void Tell(Part part, IReadOnlyList<string> sentences)
    {
        foreach (var sentence in sentences)
        {
            listener.OnProblem($"{part.Name}: {(part.Path.Length > 0 && !sentence.StartsWith(part.Path, StringComparison.Ordinal) ? $"{part.Path}." : "")}{sentence}");
        }
    }

    /// <summary>A part of a file.</summary>
    private sealed record Part(string Name, string Path, ApplyFile File);

    /// <summary>Something that may have to wait for something else.</summary>
    private sealed record Work(Part Part, Func<Task> Apply);

    private sealed class Draft(Part part, Workflow saved)
    {
        public Part Part { get; } = part;

        /// <summary>As it was saved or, after that, published.</summary>
        public Workflow Saved { get; set; } = saved;
    }
}
