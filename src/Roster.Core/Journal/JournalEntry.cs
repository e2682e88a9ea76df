using Roster.Core.Hashing;
using Roster.Core.Values;

namespace Roster.Core.Journal;

/// <summary>
/// One thing that happened to one record. State, history and counters are folds of these. Made by the named factories only, so
/// that each kind has the fields it needs; read by the one <see cref="Records.RecordState.Apply"/>.
/// </summary>
/// <remarks>
/// One flat struct for all kinds, because a turn writes several of them on the hot path and none may cost an allocation. Numbers
/// (workflow, step, property, times, codes) are the skeleton; texts and values are the payload, which erasure empties.
/// </remarks>
public readonly struct JournalEntry
{
    /// <summary>What happened.</summary>
    public EntryKind Kind { get; init; }

    /// <summary>Number of the workflow concerned, or 0.</summary>
    public int Workflow { get; init; }

    /// <summary>Version of the workflow, or 0.</summary>
    public int Version { get; init; }

    /// <summary>Enrollment number, or 0.</summary>
    public int Enrollment { get; init; }

    /// <summary>Number of the step concerned, or 0.</summary>
    public int Step { get; init; }

    /// <summary>Execution index of the step, from 1 (ACT-04), or 0.</summary>
    public int Execution { get; init; }

    /// <summary>A <see cref="Decision"/>, <see cref="EndReason"/> or <see cref="StepResult"/>, by kind.</summary>
    public int Code { get; init; }

    /// <summary>Number of a property, an event type, a branch or a goal, a <see cref="TriggerKind"/>, or a count, by kind.</summary>
    public int Subject { get; init; }

    /// <summary><c>occurred_at</c> of an event or write.</summary>
    public Timestamp OccurredAt { get; init; }

    /// <summary>When a step goes on by itself, or an effect times out.</summary>
    public Timestamp DueAt { get; init; }

    /// <summary>A yes or no, by kind: clamped, baseline, waits.</summary>
    public bool Flag { get; init; }

    /// <summary>Bits of goals, number of a list, goal, workflow or event type that decided, or of another record, by kind.</summary>
    public long Number { get; init; }

    /// <summary>Hash of the event or request id.</summary>
    public Hash128 IdHash { get; init; }

    /// <summary>Hash of the content as sent.</summary>
    public uint ContentHash { get; init; }

    /// <summary>The event or request id, a queue, or a failure code, by kind.</summary>
    public string? Text { get; init; }

    /// <summary>Source or caller, or the failure text of a worker.</summary>
    public string? Source { get; init; }

    /// <summary>The value of a property.</summary>
    public Value Value { get; init; }

    /// <summary>Event properties, outputs, or the fields of a task.</summary>
    public NamedValue[]? Fields { get; init; }

    /// <summary>The decision of a consideration.</summary>
    public Decision Decision => (Decision)Code;

    /// <summary>The end reason of an enrollment.</summary>
    public EndReason EndReason => (EndReason)Code;

    /// <summary>The result of a step.</summary>
    public StepResult Result => (StepResult)Code;

    /// <summary>The record came to be, with the <c>occurred_at</c> of what created it (REC-09).</summary>
    public static JournalEntry RecordCreated(Timestamp createdAt) => new() { Kind = EntryKind.RecordCreated, OccurredAt = createdAt };

    /// <summary>An event was received.</summary>
    public static JournalEntry EventReceived(
        int eventType, Timestamp occurredAt, bool isClamped, string eventId, Hash128 idHash, uint contentHash, string source, NamedValue[] properties) => new()
        {
            Kind = EntryKind.EventReceived,
            Subject = eventType,
            OccurredAt = occurredAt,
            Flag = isClamped,
            Text = eventId,
            IdHash = idHash,
            ContentHash = contentHash,
            Source = source,
            Fields = properties,
        };

    /// <summary>A request by hand was received; the entries after it in the turn are the answer, so that a repeated one can be told (API-03).</summary>
    public static JournalEntry CommandReceived(
        CommandKind command, int workflow, Timestamp at, string requestId, Hash128 idHash, uint contentHash, string caller) => new()
        {
            Kind = EntryKind.CommandReceived,
            Subject = (int)command,
            Workflow = workflow,
            OccurredAt = at,
            Text = requestId,
            IdHash = idHash,
            ContentHash = contentHash,
            Source = caller,
        };

    /// <summary>A property took another value; unknown clears it. Set by a step when <paramref name="workflow"/> is not 0.</summary>
    public static JournalEntry PropertyChanged(int property, in Value value, Timestamp occurredAt, string source, int workflow = 0, int step = 0) => new()
    {
        Kind = EntryKind.PropertyChanged,
        Subject = property,
        Value = value,
        OccurredAt = occurredAt,
        Source = source,
        Workflow = workflow,
        Step = step,
    };

    /// <summary>A write older than the stored one (REC-05).</summary>
    public static JournalEntry PropertyLate(int property, in Value value, Timestamp occurredAt, string source) => new()
    {
        Kind = EntryKind.PropertyLate,
        Subject = property,
        Value = value,
        OccurredAt = occurredAt,
        Source = source,
    };

    /// <summary>A write of the stored value (REC-06).</summary>
    public static JournalEntry PropertyTouched(int property, Timestamp occurredAt, string source) => new()
    {
        Kind = EntryKind.PropertyTouched,
        Subject = property,
        OccurredAt = occurredAt,
        Source = source,
    };

    /// <summary>A consideration was refused.</summary>
    /// <param name="workflow">The workflow.</param>
    /// <param name="version">Its version.</param>
    /// <param name="trigger">What started the consideration.</param>
    /// <param name="decision">The decision.</param>
    /// <param name="detail">Number of the list or goal that decided, or 0.</param>
    /// <param name="requestId">For sequences: id of the request that is answered, which came in an earlier turn; empty otherwise.</param>
    public static JournalEntry Refused(int workflow, int version, TriggerKind trigger, Decision decision, int detail = 0, string requestId = "") => new()
    {
        Text = requestId,
        Kind = EntryKind.EnrollmentRefused,
        Workflow = workflow,
        Version = version,
        Subject = (int)trigger,
        Code = (int)decision,
        Number = detail,
    };

    /// <summary>
    /// An enrollment began; <paramref name="isFirst"/> when the record was never enrolled in the workflow before. The properties of the
    /// event are kept when a step reads them (ACT-07); <paramref name="detail"/> is the event type or workflow that started it. For
    /// sequences the properties are the facts of the enrollment, and <paramref name="requestId"/> names the request of an earlier turn.
    /// </summary>
    public static JournalEntry Enrolled(
        int workflow, int version, int enrollment, TriggerKind trigger, int firstStep, bool isFirst, int detail = 0, NamedValue[]? eventProperties = null, string requestId = "") => new()
        {
            Text = requestId,
            Kind = EntryKind.Enrolled,
            Workflow = workflow,
            Version = version,
            Enrollment = enrollment,
            Subject = (int)trigger,
            Step = firstStep,
            Code = (int)Decision.Enrolled,
            Flag = isFirst,
            Number = detail,
            Fields = eventProperties,
        };

    /// <summary>
    /// A step was entered. <paramref name="dueAt"/> is none unless it goes on by itself; <paramref name="isCounted"/> when the step
    /// may come again, so that its runs are counted (ENG-10, ACT-04). <paramref name="phase"/> says what it waits for.
    /// </summary>
    public static JournalEntry StepEntered(
        int workflow, int version, int enrollment, int step, int execution, Timestamp dueAt, bool isCounted, Records.StepPhase phase = Records.StepPhase.Ready) => new()
        {
            Kind = EntryKind.StepEntered,
            Workflow = workflow,
            Version = version,
            Enrollment = enrollment,
            Step = step,
            Execution = execution,
            DueAt = dueAt,
            Flag = isCounted,
            Code = (int)phase,
        };

    /// <summary>
    /// A step was left. <paramref name="branch"/> is 1 plus the index of the branch taken, 0 for none or the default;
    /// <paramref name="enteredAt"/> is none when it was entered in the same turn (MET-14).
    /// </summary>
    public static JournalEntry StepFinished(
        int workflow, int version, int enrollment, int step, int execution, StepResult result, int branch = 0, string? branchName = null, string? failure = null,
        NamedValue[]? outputs = null, Timestamp enteredAt = default) => new()
        {
            Kind = EntryKind.StepFinished,
            Workflow = workflow,
            Version = version,
            Enrollment = enrollment,
            Step = step,
            Execution = execution,
            Code = (int)result,
            Subject = branch,
            Text = branchName,
            Source = failure,
            Fields = outputs,
            OccurredAt = enteredAt,
            Number = (int)FailureCodes.Parse(failure),
        };

    /// <summary>A task for a worker was committed. <paramref name="waits"/> when the enrollment waits for its completion (ACT-02).</summary>
    public static JournalEntry EffectRequested(
        int workflow, int version, int enrollment, int step, int execution, string queue, bool waits, Timestamp timesOutAt, NamedValue[] fields, bool isMarketing = false) => new()
        {
            Kind = EntryKind.EffectRequested,
            Workflow = workflow,
            Version = version,
            Enrollment = enrollment,
            Step = step,
            Execution = execution,
            Text = queue,
            Flag = waits,
            DueAt = timesOutAt,
            Fields = fields,
            Subject = isMarketing ? 1 : 0,
        };

    /// <summary>The <see cref="Subject"/> of a completion that leaves a dead letter (ERR-11).</summary>
    public const int IsDeadLetter = 1;

    /// <summary>A task was completed, failed for good, or withdrawn.</summary>
    public static JournalEntry EffectCompleted(
        int workflow, int version, int enrollment, int step, int execution, StepResult result, string failureCode, string failureText, NamedValue[] outputs,
        bool keepsOutputs = false, bool wasWithdrawn = false, bool isDead = false) => new()
        {
            Kind = EntryKind.EffectCompleted,
            Workflow = workflow,
            Version = version,
            Enrollment = enrollment,
            Step = step,
            Execution = execution,
            Code = (int)result,
            Text = failureCode,
            Source = failureText,
            Fields = outputs,
            Flag = keepsOutputs,
            Number = wasWithdrawn ? 1 : 0,
            Subject = isDead ? IsDeadLetter : 0,
        };

    /// <summary>A dead letter was sent again, with what came of it, or discarded: <see cref="StepResult.Cancelled"/> (ERR-11).</summary>
    public static JournalEntry DeadLetterClosed(in Records.DeadLetter letter, StepResult result, string caller) => new()
    {
        Kind = EntryKind.DeadLetterClosed,
        Workflow = letter.Workflow,
        Version = letter.Version,
        Enrollment = letter.Enrollment,
        Step = letter.Step,
        Execution = letter.Execution,
        Code = (int)result,
        Source = caller,
    };

    /// <summary>
    /// A goal was met, while active or after completing; <paramref name="isCounted"/> when the record counts for it now, for the first time
    /// (GOAL-06, GOAL-09). <paramref name="goal"/> is the number of the goal in the workflow.
    /// </summary>
    public static JournalEntry GoalMet(int workflow, int version, int enrollment, int goal, string goalId, bool isCounted) => new()
    {
        Kind = EntryKind.GoalMet,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Subject = goal,
        Text = goalId,
        Flag = isCounted,
    };

    /// <summary>A goal waits for an e-mail in flight (GOAL-08), or, when <paramref name="isPending"/> is false, does no more.</summary>
    public static JournalEntry GoalPending(int workflow, int version, int enrollment, int goal, bool isPending) => new()
    {
        Kind = EntryKind.GoalPending,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Subject = goal,
        Flag = isPending,
    };

    /// <summary>
    /// An enrollment ended. <paramref name="detail"/> is the number of the list, goal or workflow that ended it, by reason, or 0.
    /// <paramref name="step"/> is the step it was in, 0 for none. <paramref name="isUnanswered"/> when a sequence finished without a reply or
    /// a meeting (MET-16).
    /// </summary>
    public static JournalEntry EnrollmentEnded(int workflow, int version, int enrollment, int step, EndReason reason, int detail = 0, bool isUnanswered = false) => new()
    {
        Flag = isUnanswered,
        Kind = EntryKind.EnrollmentEnded,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Step = step,
        Code = (int)reason,
        Number = detail,
    };

    /// <summary>A loop guard stopped a cascade (ENG-08).</summary>
    public static JournalEntry LoopGuard(int rounds) => new() { Kind = EntryKind.LoopGuard, Subject = rounds };

    /// <summary>A moved-out part of the event ids left the window (REC-08), or one of former values that too many came after (FIL-31).</summary>
    public static JournalEntry EventIdsForgotten(int section) => new() { Kind = EntryKind.EventIdsForgotten, Subject = section };

    /// <summary>The record joined or left a list; by a step when <paramref name="workflow"/> is not 0.</summary>
    public static JournalEntry ListChanged(int list, bool hasJoined, int workflow = 0, int step = 0) => new()
    {
        Kind = hasJoined ? EntryKind.ListJoined : EntryKind.ListLeft,
        Subject = list,
        Workflow = workflow,
        Step = step,
    };

    /// <summary>Occurrences before <paramref name="since"/> expired; <paramref name="section"/> is a section that goes with them, or 0.</summary>
    public static JournalEntry EventsExpired(Timestamp since, int section) => new() { Kind = EntryKind.EventsExpired, OccurredAt = since, Subject = section };

    /// <summary>When criteria may next flip by the clock; none when none does.</summary>
    public static JournalEntry FlipArmed(Timestamp at) => new() { Kind = EntryKind.FlipArmed, DueAt = at };

    /// <summary>
    /// What an enrollment remembers: whether the criteria have matched (UNE-02), and which goals held already (GOAL-02), as bits;
    /// <paramref name="goalsVersion"/> is the version whose goals were all judged, 0 when they were not.
    /// </summary>
    public static JournalEntry EnrollmentLatched(int workflow, int version, int enrollment, bool hasMatched, ulong goalsHeld, int goalsVersion = 0) => new()
    {
        Kind = EntryKind.EnrollmentLatched,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Flag = hasMatched,
        Number = (long)goalsHeld,
        Subject = goalsVersion,
    };

    /// <summary>An enrollment follows a version from here on, in place of the version <paramref name="from"/> (EDT-06); <paramref name="step"/> is the step it waits in, 0 for none.</summary>
    public static JournalEntry EnrollmentAdapted(int workflow, int version, int enrollment, int from, int step) => new()
    {
        Step = step,
        Number = from,
        Kind = EntryKind.EnrollmentAdapted,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
    };

    /// <summary>When an annual workflow enrolls the record again; none when it does not (SCH-09).</summary>
    public static JournalEntry RecurrenceSet(int workflow, int version, Timestamp at) => new()
    {
        Kind = EntryKind.RecurrenceSet,
        Workflow = workflow,
        Version = version,
        DueAt = at,
    };

    /// <summary>An enrollment stands still before <paramref name="step"/>, 0 for the end, because its workflow is paused (EDT-05).</summary>
    /// <param name="workflow">The workflow.</param>
    /// <param name="version">Its version.</param>
    /// <param name="enrollment">The enrollment.</param>
    /// <param name="step">The step to enter when it goes on.</param>
    /// <param name="dueAt">When it goes on, after the pause; none while it lasts.</param>
    public static JournalEntry StepHeld(int workflow, int version, int enrollment, int step, Timestamp dueAt = default) => new()
    {
        DueAt = dueAt,
        Kind = EntryKind.StepHeld,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Step = step,
    };

    /// <summary>The present step of an enrollment is due at another instant, or waits for something else when a phase is given.</summary>
    public static JournalEntry StepRescheduled(
        int workflow, int version, int enrollment, int step, int execution, Timestamp dueAt, Records.StepPhase phase = Records.StepPhase.Ready) => new()
        {
            Code = (int)phase,
            Kind = EntryKind.StepRescheduled,
            Workflow = workflow,
            Version = version,
            Enrollment = enrollment,
            Step = step,
            Execution = execution,
            DueAt = dueAt,
        };

    /// <summary>A task has left the outbox and waits for a callback until <paramref name="expiresAt"/> (ACT-62).</summary>
    public static JournalEntry EffectBlocked(in Records.OpenEffect effect, Timestamp expiresAt) => new()
    {
        Kind = EntryKind.EffectBlocked,
        Workflow = effect.Workflow,
        Version = effect.Version,
        Enrollment = effect.Enrollment,
        Step = effect.Step,
        Execution = effect.Execution,
        DueAt = expiresAt,
    };

    /// <summary>The first attempt of a task, at <paramref name="firstTriedAt"/>, failed, and others follow (ERR-04, ERR-07).</summary>
    public static JournalEntry EffectRetried(in Records.OpenEffect effect, Timestamp firstTriedAt) => new()
    {
        Kind = EntryKind.EffectRetried,
        Workflow = effect.Workflow,
        Version = effect.Version,
        Enrollment = effect.Enrollment,
        Step = effect.Step,
        Execution = effect.Execution,
        OccurredAt = firstTriedAt,
    };

    /// <summary>A task is not offered any more; who has leased it may still complete it (UNE-07). One that is blocked was not offered before.</summary>
    public static JournalEntry EffectWithdrawn(int workflow, int version, int enrollment, int step, int execution, bool wasBlocked = false) => new()
    {
        Kind = EntryKind.EffectWithdrawn,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Step = step,
        Execution = execution,
        Number = wasBlocked ? 1 : 0,
    };

    /// <summary>Something became of an e-mail for the first time.</summary>
    /// <param name="workflow">The workflow or sequence that sent it.</param>
    /// <param name="version">Its version.</param>
    /// <param name="enrollment">The enrollment that it was sent for.</param>
    /// <param name="step">The step that sent it; 0 for a meeting that no e-mail led to.</param>
    /// <param name="signal">What became of it.</param>
    /// <param name="scopes">For whom it is the first time.</param>
    /// <param name="at">When it occurred. For a send this is the instant that reactions count from.</param>
    /// <param name="sentAt">When the e-mail was sent, if this is the recipient's first reaction to it (MET-13); none otherwise.</param>
    public static JournalEntry EmailEngaged(
        int workflow, int version, int enrollment, int step, EmailSignal signal, EmailScopes scopes, Timestamp at, Timestamp sentAt) => new()
        {
            Kind = EntryKind.EmailEngaged,
            Workflow = workflow,
            Version = version,
            Enrollment = enrollment,
            Step = step,
            Code = (int)signal,
            Subject = (int)scopes,
            OccurredAt = at,
            DueAt = sentAt,
        };

    /// <summary>An e-mail that is still to be sent was edited for this record (SEQ-14); <paramref name="content"/> is what replaces the step's.</summary>
    public static JournalEntry EmailEdited(int workflow, int version, int enrollment, int step, NamedValue[] content) => new()
    {
        Kind = EntryKind.EmailEdited,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Step = step,
        Fields = content,
    };

    /// <summary>An inbox gave out an enrollment of a day; <paramref name="day"/> is the day since 1970-01-01 in its zone (SEQ-15).</summary>
    public static JournalEntry EnrollmentSlotTaken(int day) => new() { Kind = EntryKind.SlotTaken, Number = day };

    /// <summary>An inbox gave out an instant for an e-mail (SEQ-15).</summary>
    public static JournalEntry EmailSlotTaken(Timestamp at, bool isBulk) => new() { Kind = EntryKind.SlotTaken, DueAt = at, Flag = isBulk };

    /// <summary>An inbox took back an enrollment of a day that came to nothing.</summary>
    public static JournalEntry EnrollmentSlotReleased(int day) => new() { Kind = EntryKind.SlotReleased, Number = day };

    /// <summary>An inbox took back an instant at which no e-mail was sent.</summary>
    public static JournalEntry EmailSlotReleased(Timestamp at, bool isBulk) => new() { Kind = EntryKind.SlotReleased, DueAt = at, Flag = isBulk };

    /// <summary>The record was deleted (REC-16), by a step when <paramref name="workflow"/> is not 0.</summary>
    public static JournalEntry RecordDeleted(int workflow = 0, int step = 0) => new() { Kind = EntryKind.RecordDeleted, Workflow = workflow, Step = step };

    /// <summary>A deleted record was brought back (REC-16).</summary>
    public static JournalEntry RecordRestored() => new() { Kind = EntryKind.RecordRestored };

    /// <summary>The record was erased: of what it had, its id and its links stay until those linked to it have been told (REC-17).</summary>
    public static JournalEntry RecordErased() => new() { Kind = EntryKind.RecordErased };

    /// <summary>Those linked to an erased record have been told: its id and its links are gone too (REC-17).</summary>
    public static JournalEntry IdErased() => new() { Kind = EntryKind.IdErased };

    /// <summary>Another record named an erased one: it has its id again until that one has forgotten it (REC-17).</summary>
    public static JournalEntry IdReturned(string id) => new() { Kind = EntryKind.IdReturned, Text = id };

    /// <summary>
    /// A link to another record came to be when <paramref name="isNew"/>, or got a label. Workflow and step when a step did it.
    /// </summary>
    public static JournalEntry Associated(Records.Association after, bool isNew, int label, int workflow = 0, int step = 0) =>
        OfLink(EntryKind.Associated, after, isNew, label, workflow, step);

    /// <summary>A link to another record went when <paramref name="isGone"/>, or lost a label.</summary>
    public static JournalEntry Dissociated(Records.Association after, bool isGone, int label, int workflow = 0, int step = 0) =>
        OfLink(EntryKind.Dissociated, isGone ? after with { Marks = [], Seen = 0 } : after, isGone, label, workflow, step);

    /// <summary>A change of a link that crossed another one on its way says nothing new, but by whom it was said matters when it is taken away.</summary>
    public static JournalEntry AssociationMarked(Records.Association after) => OfLink(EntryKind.AssociationMarked, after, false, 0, 0, 0);

    private static JournalEntry OfLink(EntryKind kind, Records.Association after, bool flag, int label, int workflow, int step) =>
        OfAssociation(kind, after, flag, label, workflow, step) with { Source = after.MarkedLabels, Number = after.Seen };

    private static JournalEntry OfAssociation(EntryKind kind, Records.Association after, bool flag, int label, int workflow, int step) => new()
    {
        Kind = kind,
        Subject = after.ObjectType,
        Text = after.Id,
        Source = NumberList.Text(after.Labels),
        OccurredAt = after.Since,
        Code = label,
        Flag = flag,
        Workflow = workflow,
        Step = step,
    };

    /// <summary>Links moved out of the head: the directory of the leaves is now section <paramref name="directory"/>.</summary>
    public static JournalEntry AssociationsMoved(int directory, int lastSection) => new() { Kind = EntryKind.AssociationsMoved, Subject = directory, Number = lastSection };

    /// <summary>What is known of an associated record changed, or, when <paramref name="isRemoved"/>, went.</summary>
    public static JournalEntry CopyChanged(Records.Association link, NamedValue[] content, bool isRemoved) =>
        OfAssociation(EntryKind.CopyChanged, link, isRemoved, 0, 0, 0) with { Fields = content };

    /// <summary>Copies were written anew, as so many sections from a number on.</summary>
    public static JournalEntry CopiesMoved(int first, int count) => new() { Kind = EntryKind.CopiesMoved, Number = first, Subject = count };

    /// <summary>The copy of an associated record went because <c>associated_copies_max</c> newer ones are kept (ASC-05).</summary>
    public static JournalEntry CopiesCut(int objectType, string id, int label) => new() { Kind = EntryKind.CopiesCut, Subject = objectType, Text = id, Code = label };

    /// <summary>Messages were sent to other records.</summary>
    public static JournalEntry MessagesSent(int count) => new() { Kind = EntryKind.MessagesSent, Subject = count };

    /// <summary>A message of another record arrived. The hops are those of ENG-11.</summary>
    public static JournalEntry MessageReceived(int kind, int fromType, string fromId, long sender, int hops, int workflow, int step) => new()
    {
        Kind = EntryKind.MessageReceived,
        Code = kind,
        Subject = fromType,
        Text = fromId,
        Number = sender,
        Execution = hops,
        Workflow = workflow,
        Step = step,
    };

    /// <summary>A message could not be delivered: its receiver has gone, or refused it.</summary>
    public static JournalEntry MessageReturned(int kind, int toType, string toId, RefusalReason reason) => new()
    {
        Kind = EntryKind.MessageReturned,
        Code = kind,
        Subject = toType,
        Text = toId,
        Number = (int)reason,
    };

    /// <summary>A record with many links begins or ends to tell them something.</summary>
    /// <param name="spreading">What it does.</param>
    /// <param name="hops">Hops of what it tells (ENG-11).</param>
    /// <param name="isInitial">Whether what it tells fires nothing (ASC-04).</param>
    public static JournalEntry SpreadChanged(Records.Spreading spreading, int hops, bool isInitial) =>
        new() { Kind = EntryKind.SpreadChanged, Code = (int)spreading, Execution = hops, Flag = isInitial };

    /// <summary>The workflows that led to the record's creation.</summary>
    public static JournalEntry ChainSet(IEnumerable<int> chain) => new() { Kind = EntryKind.ChainSet, Text = NumberList.Text(chain) };

    /// <summary>The record was merged into another one of its type (REC-13).</summary>
    public static JournalEntry RecordMerged(int objectType, string survivor) => new() { Kind = EntryKind.RecordMerged, Subject = objectType, Text = survivor };

    /// <summary>Another record was merged into this one; <paramref name="past"/> is what it has of its past, packed, as base64 (REC-13).</summary>
    public static JournalEntry RecordAbsorbed(int objectType, string id, string past) => new() { Kind = EntryKind.RecordAbsorbed, Subject = objectType, Text = id, Source = past };

    /// <summary>A publish removed the step an enrollment was in; it goes on at <paramref name="step"/>, 0 for the end (EDT-09).</summary>
    public static JournalEntry StepMoved(int workflow, int version, int enrollment, int from, int step) => new()
    {
        Kind = EntryKind.StepMoved,
        Workflow = workflow,
        Version = version,
        Enrollment = enrollment,
        Step = from,
        Number = step,
    };
}

/// <summary>Requests by hand. Stored.</summary>
public enum CommandKind
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Enroll (TRG-10).</summary>
    Enroll = 1,

    /// <summary>Unenroll (UNE-03).</summary>
    Unenroll = 2,

    /// <summary>Add to a static list (LST-01).</summary>
    AddToList = 3,

    /// <summary>Take off a static list (LST-01).</summary>
    RemoveFromList = 4,

    /// <summary>Delete the record (REC-16).</summary>
    Delete = 5,

    /// <summary>Bring a deleted record back (REC-16).</summary>
    Restore = 6,

    /// <summary>Merge the record into another one (REC-13).</summary>
    Merge = 7,

    /// <summary>Erase the record (REC-17).</summary>
    Erase = 8,

    /// <summary>Lift the pause that a sequence stands in (SEQ-09).</summary>
    LiftPause = 20,

    /// <summary>Edit an e-mail that a sequence is still to send (SEQ-14).</summary>
    EditEmail = 21,
}
