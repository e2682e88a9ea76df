using System.Text;
using Google.Protobuf.WellKnownTypes;
using Roster.Engine.Access;
using Roster.Engine.Stores;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;

namespace Roster.Engine.Tests.Access;

public sealed class CredentialDirectoryTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Dictionary<(int Tenant, string Kind, string Id), StoredDocument> _stored = [];
    private readonly ManualClock _clock = new(Start);

    [Fact]
    public void PRV_01_A_key_finds_its_credential_and_nothing_else_does()
    {
        var directory = Open();
        var made = directory.Create("acme", New("crm", Right.View, Right.Ingest), "");
        var known = directory.FindKey(made.Key)!;
        Assert.Equal(("acme", "crm"), (known.Credential.Tenant, known.Credential.Name));
        Assert.True(known.Has(Right.View));
        Assert.False(known.Has(Right.Edit));
        Assert.False(known.Has(Right.Unspecified));
        foreach (var wrong in new[] { "", "roster_", made.Key[..^1], made.Key + "0", made.Key.Replace(made.Credential.Id, "0123456789abcdef", StringComparison.Ordinal), ApiKey.New(made.Credential.Id) })
        {
            Assert.Null(directory.FindKey(wrong));
        }
    }

    [Fact]
    public void What_another_process_changed_is_taken_and_what_was_changed_here_since_it_was_read_is_kept()
    {
        var here = Open();
        var there = Open();
        var made = there.Create("acme", New("crm", Right.View), "");
        var mine = here.Create("acme", New("mine", Right.View), "");
        here.Take([.. _stored.Values], here.Changes);
        var known = here.FindKey(made.Key);
        Assert.NotNull(known);

        // Read before both of these, taken after.
        var changes = here.Changes;
        StoredDocument[] read = [.. _stored.Values];
        var late = here.Create("acme", New("late", Right.View), "");
        here.Revoke("acme", mine.Credential.Id);
        here.Take(read, changes);
        Assert.NotNull(here.FindKey(late.Key));
        Assert.Null(here.FindKey(mine.Key));
        Assert.Same(known, here.FindKey(made.Key));

        there.Take([.. _stored.Values], there.Changes);
        there.Revoke("acme", made.Credential.Id);
        here.Take([.. _stored.Values], here.Changes);
        Assert.False(known.IsInForce(Start));
        Assert.Null(here.FindKey(made.Key));
        Assert.NotNull(here.FindKey(late.Key));
    }

    [Fact]
    public async Task Others_changes_are_looked_for_once_a_second_at_most()
    {
        var looks = 0;
        var directory = new CredentialDirectory([], _ => { }, _ => 1, _clock) { Refresh = _ => { looks++; return Task.CompletedTask; } };
        Assert.True(await directory.LookAgainAsync(TestContext.Current.CancellationToken));
        Assert.False(await directory.LookAgainAsync(TestContext.Current.CancellationToken));
        _clock.MoveTo(Start.AddSeconds(1));
        Assert.True(await directory.LookAgainAsync(TestContext.Current.CancellationToken));
        Assert.Equal(2, looks);
        Assert.False(await Open().LookAgainAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void The_store_gets_a_hash_and_never_the_key()
    {
        var made = Open().Create("acme", New("crm", Right.View), "");
        var bytes = Assert.Single(_stored.Values).Content!;
        Assert.DoesNotContain(made.Key[^64..], Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        Assert.DoesNotContain(made.Key, made.Credential.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Credentials_are_there_after_a_restart_and_revoked_ones_are_not()
    {
        var directory = Open();
        var kept = directory.Create("acme", New("crm", Right.View), "");
        var gone = directory.Create("acme", New("crm", Right.View), kept.Credential.Id);
        var held = directory.FindKey(gone.Key)!;
        Assert.Equal(kept.Credential.Id, gone.Credential.CreatedBy);
        directory.Revoke("acme", gone.Credential.Id);
        Assert.False(held.IsInForce(Start));
        Assert.Null(directory.FindKey(gone.Key));
        var again = Open();
        Assert.NotNull(again.FindKey(kept.Key));
        Assert.Null(again.FindKey(gone.Key));
    }

    [Fact]
    public void Two_of_a_name_are_in_force_for_rotation_and_not_three()
    {
        var directory = Open();
        var first = directory.Create("acme", New("crm", Right.View), "");
        directory.Create("acme", New("crm", Right.View), "");
        var error = Assert.Throws<RosterException>(() => directory.Create("acme", New("crm", Right.View), ""));
        Assert.Equal(RosterError.FailedPrecondition, error.Error);
        directory.Create("other", New("crm", Right.View), "");
        directory.Revoke("acme", first.Credential.Id);
        directory.Create("acme", New("crm", Right.View), "");
    }

    [Fact]
    public void A_credential_ends_when_it_expires_and_leaves_its_name_free()
    {
        var directory = Open();
        var wanted = New("crm", Right.View);
        wanted.ExpiresAt = Timestamp.FromDateTimeOffset(Start.AddDays(1));
        var made = directory.Create("acme", wanted, "");
        directory.Create("acme", New("crm", Right.View), "");
        _clock.MoveTo(Start.AddDays(1).AddMilliseconds(-1));
        Assert.NotNull(directory.FindKey(made.Key));
        _clock.MoveTo(Start.AddDays(1));
        Assert.Null(directory.FindKey(made.Key));
        directory.Create("acme", New("crm", Right.View), "");
    }

    [Fact]
    public void A_certificate_is_found_by_its_hash_and_by_a_trusted_name()
    {
        var directory = Open();
        byte[] hash = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        var pinned = New("pinned", Right.View);
        pinned.CertificateSha256 = Convert.ToHexString(hash);
        Assert.Equal("", directory.Create("acme", pinned, "").Key);
        var named = New("named", Right.Work);
        named.CertificateName = "spiffe://example.org/worker";
        directory.Create("acme", named, "");
        Assert.Equal("pinned", directory.FindCertificate(hash, [])!.Credential.Name);
        Assert.Equal("named", directory.FindCertificate(new byte[32], ["other", "SPIFFE://example.org/worker"])!.Credential.Name);
        Assert.Null(directory.FindCertificate(new byte[32], ["other"]));
        var taken = New("thief", Right.View);
        taken.CertificateSha256 = Convert.ToHexStringLower(hash);
        Assert.Equal(RosterError.InvalidArgument, Assert.Throws<RosterException>(() => directory.Create("other", taken, "")).Error);
    }

    [Fact]
    public void A_tenant_revokes_its_own_only_and_a_listing_has_pages()
    {
        var directory = Open();
        var ids = Enumerable.Range(0, 5).Select(i => directory.Create("acme", New($"client-{i}", Right.View), "").Credential.Id).ToList();
        directory.Create("other", New("stranger", Right.View), "");
        Assert.Equal(RosterError.NotFound, Assert.Throws<RosterException>(() => directory.Revoke("other", ids[0])).Error);
        var first = directory.List("acme", 3, "");
        var second = directory.List("acme", 3, first.NextPageToken);
        Assert.Equal(ids, first.Credentials.Concat(second.Credentials).Select(c => c.Id));
        Assert.Equal("", second.NextPageToken);
        Assert.Equal(RosterError.InvalidArgument, Assert.Throws<RosterException>(() => directory.List("acme", 1_001, "")).Error);
    }

    [Theory]
    [InlineData("Name", "credential.name")]
    [InlineData("", "credential.rights")]
    [InlineData("type", "credential.object_types")]
    [InlineData("hash", "credential.certificate_sha256")]
    [InlineData("past", "credential.expires_at")]
    public void What_is_not_well_formed_is_refused_by_its_field(string what, string path)
    {
        var wanted = New(what == "Name" ? "Not A Name" : "crm");
        wanted.Rights.Add(what.Length > 0 ? [Right.View] : Array.Empty<Right>());
        wanted.ObjectTypes.Add(what == "type" ? ["Contact!"] : Array.Empty<string>());
        wanted.CertificateSha256 = what == "hash" ? "abc" : "";
        wanted.ExpiresAt = what == "past" ? Timestamp.FromDateTimeOffset(Start) : null;
        Assert.Equal(path, Assert.Throws<RosterException>(() => Open().Create("acme", wanted, "")).Refusal!.Path);
    }

    private static Credential New(string name, params Right[] rights) => new() { Name = name, Rights = { rights } };

    private CredentialDirectory Open() => new(_stored.Values.ToList(), Commit, tenant => tenant == "acme" ? 1 : 2, _clock);

    private void Commit(IReadOnlyList<StoredDocument> documents)
    {
        foreach (var document in documents)
        {
            if (document.Content is null)
            {
                _stored.Remove((document.Tenant, document.Kind, document.Id));
            }
            else
            {
                _stored[(document.Tenant, document.Kind, document.Id)] = document;
            }
        }
    }
}
