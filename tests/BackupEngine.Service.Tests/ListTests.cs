using System.Text.Json.Nodes;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Jobs;
using BackupEngine.Service.Tests.Running;
using BackupEngine.TestKit.Requirements;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Tests;

/// <summary>Lists: their pages, orders and filters.</summary>
public sealed class ListTests
{
    private const string Backups = $"/v3/{ServiceUnderTest.Project}/backups";

    private static readonly DateTime _start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [LongRunning(NeedsTools = true)]
    [Theory]
    [InlineData(false, "created_at:desc")]
    [InlineData(false, "created_at:asc")]
    [InlineData(false, "name:asc")]
    [InlineData(false, "status:desc,size:asc")]
    [InlineData(true, "created_at:desc")]
    [InlineData(true, "name:desc,updated_at:asc")]
    public async Task Pages_hold_every_backup_once_though_their_keys_are_alike(bool onPostgres, string sort)
    {
        await using ServiceUnderTest service = await StartAsync(onPostgres, 25);
        List<string> paged = await PageThroughAsync(service, $"{Backups}?limit=4&sort={sort}");
        string[] whole = Ids(await service.GetAsync($"{Backups}?sort={sort}", "3.45"));
        Assert.Equal(whole, paged);
        Assert.Equal(25, paged.Distinct().Count());
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Pages_stay_whole_while_backups_come_and_go()
    {
        await using ServiceUnderTest service = await StartAsync(onPostgres: false, 20);
        string[] before = Ids(await service.GetAsync(Backups));
        string[] first = Ids(await service.GetAsync($"{Backups}?limit=5"));

        // The page's last one goes, one that was seen goes, one that was not goes, and a new one comes.
        await RemoveAsync(service, first[4], first[0], before[10]);
        await AddAsync(service, 100);
        string[] rest = Ids(await service.GetAsync($"{Backups}?marker={first[4]}"));
        Assert.Equal(before[5..].Except([before[10]]), rest);
    }

    [LongRunning(NeedsTools = true)]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_every_order_pages_hold_each_backup_that_stayed_once_while_others_come_and_go(bool onPostgres)
    {
        await using ServiceUnderTest service = await StartAsync(onPostgres, 0);
        foreach (string key in BackupColumns.All.Keys.Append("name"))
        {
            foreach (string direction in new[] { "asc", "desc" })
            {
                await FillAnewAsync(service, 24);
                HashSet<string> stayed = [.. Ids(await service.GetAsync(Backups))];
                List<string> seen = [];
                int number = 100;
                string[] page;
                do
                {
                    page = Ids(await service.GetAsync($"{Backups}?limit=5&sort={key}:{direction}{(seen.Count > 0 ? $"&marker={seen[^1]}" : "")}", "3.45"));
                    seen.AddRange(page);
                    Assert.True(seen.Count < 200, "The pages do not end.");

                    // The next marker goes (asked for by one, done by the other), one before it, and one that was not seen yet; others come.
                    string[] unseen = [.. stayed.Except(seen)];
                    string[] leaving = [.. page.TakeLast(1).Concat(page.Take(1)).Intersect(stayed), .. unseen.Take(1)];
                    stayed.ExceptWith(leaving);
                    await LeaveAsync(service, isDone: seen.Count % 2 == 0, leaving);
                    if (number < 104)
                    {
                        await AddAsync(service, number++);
                    }
                }
                while (page.Length > 0);

                Assert.True(seen.Where(stayed.Contains).Count() == seen.Where(stayed.Contains).Distinct().Count(), $"{key}:{direction}: seen twice");
                Assert.True(stayed.IsSubsetOf(seen), $"{key}:{direction}: {stayed.Except(seen).Count()} of {stayed.Count} missed");
            }
        }
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task The_next_link_leads_on_and_the_last_page_leads_to_an_empty_one()
    {
        await using ServiceUnderTest service = await StartAsync(onPostgres: false, 6);
        Answer page = await service.GetAsync($"{Backups}/detail?limit=2&status=available&sort=id:asc");
        string next = (string)page.Json["backups_links"]![0]!["href"]!;
        Assert.Equal($"http://host{Backups}/detail?limit=2&status=available&sort=id%3Aasc&marker={Ids(page)[1]}", next);
        page = await service.GetAsync(next);
        Assert.Equal(2, Ids(page).Length);
        Answer last = await service.GetAsync((string)page.Json["backups_links"]![0]!["href"]!);
        Assert.Equal("""{"backups":[]}""", last.Text);
        Assert.Equal("""{"backups":[]}""", (await service.GetAsync($"{Backups}?limit=0")).Text);
    }

    [Fact]
    public async Task A_list_is_cut_at_the_servers_maximum_and_leads_on()
    {
        await using ServiceUnderTest service = await StartAsync(onPostgres: false, 12, new() { MaxListItems = 5 });
        foreach (string query in new[] { "", "?limit=100", "?limit=99999999999999999999" })
        {
            Answer answer = await service.GetAsync(Backups + query);
            Assert.Equal(5, Ids(answer).Length);
            Assert.NotNull(answer.Json["backups_links"]);
        }
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Filters_and_count_see_all_pages()
    {
        await using ServiceUnderTest service = await StartAsync(onPostgres: false, 10);
        Answer answer = await service.GetAsync($"{Backups}?limit=2&with_count=True&status=error", "3.45");
        Assert.Equal((2, 3), (Ids(answer).Length, (int)answer.Json["count"]!));
        Assert.Single(Ids(await service.GetAsync($"{Backups}?name=b3")));
        Assert.Equal(7, Ids(await service.GetAsync($"{Backups}?name~=b", "3.34")).Length);
        Assert.Empty(Ids(await service.GetAsync($"{Backups}?name~=%25", "3.34")));
        Assert.Empty(Ids(await service.GetAsync($"{Backups}?size=abc")));
        Assert.Empty(Ids(await service.GetAsync($"{Backups}?status=available&nosuch=1")));
    }

    [LongRunning]
    [Theory]
    [InlineData("limit=x", 400, "limit param must be an integer")]
    [InlineData("limit=", 400, "limit param must be an integer")]
    [InlineData("limit=-1", 400, "limit param must be positive")]
    [InlineData("offset=2147483648", 400, "offset must be <= 2147483647")]
    [InlineData("sort=nosuch", 400, "Invalid input received: Invalid sort key")]
    [InlineData("sort=id:down", 400, "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'.")]
    [InlineData("sort=metadata", 400, "Invalid input received: Invalid sort key")]
    [InlineData("sort=id;drop table backups", 400, "Invalid input received: Invalid sort key")]
    [InlineData("marker=nosuch", 404, "Backup nosuch could not be found.")]
    [InlineData("all_tenants=perhaps", 400, "all_tenants must be a boolean, got 'perhaps'.")]
    public async Task Wrong_parameters_are_refused(string query, int status, string message)
    {
        await using ServiceUnderTest service = await StartAsync(onPostgres: false, 1);
        Answer answer = await service.GetAsync($"{Backups}?{query}");
        Assert.Equal((status, message), (answer.Status, answer.Message));
    }

    [Fact]
    public async Task V2_sorts_by_name_and_links_to_itself()
    {
        await using ServiceUnderTest service = await StartAsync(onPostgres: false, 3);
        Answer answer = await service.GetAsync($"/v2/{ServiceUnderTest.Project}/backups/detail?sort=name:desc&limit=1", "3.64");
        JsonNode backup = answer.Json["backups"]![0]!;
        Assert.Equal("b2", (string?)backup["name"]);
        Assert.False(answer.Headers.ContainsKey("openstack-api-version"));
        Assert.Null(backup["metadata"]);
        Assert.StartsWith($"http://host/v2/{ServiceUnderTest.Project}/backups/", (string?)backup["links"]![0]!["href"], StringComparison.Ordinal);
        Assert.StartsWith("http://host/v2/", (string?)answer.Json["backups_links"]![0]!["href"], StringComparison.Ordinal);
        Answer update = await service.SendAsync(HttpMethod.Put, $"/v2/{ServiceUnderTest.Project}/backups/{backup["id"]}", new { backup = new { name = "x" } });
        Assert.Equal((400, "There is no such action: update. Verify the request body and Content-Type header and try again."), (update.Status, update.Message));
    }

    private static async Task<ServiceUnderTest> StartAsync(bool onPostgres, int count, BackupServiceOptions? options = null)
    {
        ServiceUnderTest service = await ServiceUnderTest.StartAsync(options, runsJobs: false, database: onPostgres ? await PostgresServer.NewDatabaseAsync() : null);
        await FillAnewAsync(service, count);
        return service;
    }

    private static async Task AddAsync(ServiceUnderTest service, int number)
    {
        await using CatalogContext catalog = service.Catalog.Open();
        catalog.Backups.Add(new()
        {
            Id = Guid.NewGuid().ToString(),
            ProjectId = ServiceUnderTest.Project,
            UserId = "user1",
            Name = number % 4 == 1 ? null : $"b{number}",
            Status = number % 4 == 0 ? "error" : "available",
            Size = number % 3,
            CreatedAt = _start.AddSeconds(number / 5),
            VolumeId = Guid.NewGuid().ToString(),
            UpdatedAt = number % 2 == 0 ? null : _start,
            ObjectCount = number % 4,
            DataTimestamp = number % 5 == 0 ? null : _start.AddMinutes(number % 3),
            SnapshotId = number % 3 == 0 ? null : $"s{number % 2}",
            ParentId = number % 6 == 0 ? "p" : null,
            RestoreVolumeId = number % 5 == 0 ? "r" : null,
            Container = number % 3 == 0 ? null : $"c{number % 2}",
            AvailabilityZone = number % 7 == 0 ? "nova" : null,
            Description = number % 4 == 0 ? "" : $"d{number % 3}",
            FailReason = number % 4 == 0 ? "why" : null,
        });
        await catalog.SaveChangesAsync(ServiceUnderTest.Cancel);
    }

    private static async Task FillAnewAsync(ServiceUnderTest service, int count)
    {
        await using (CatalogContext catalog = service.Catalog.Open())
        {
            await catalog.Backups.IgnoreQueryFilters().ExecuteDeleteAsync(ServiceUnderTest.Cancel);
        }

        for (int i = 0; i < count; i++)
        {
            await AddAsync(service, i);
        }
    }

    private static async Task RemoveAsync(ServiceUnderTest service, params string[] ids)
    {
        foreach (string id in ids)
        {
            await using CatalogContext catalog = service.Catalog.Open();
            BackupRow row = (await catalog.Backups.FindAsync([id], ServiceUnderTest.Cancel))!;
            row.DeletedAt = _start;
            await catalog.SaveChangesAsync(ServiceUnderTest.Cancel);
        }
    }

    /// <summary>Deletes through the API, and ends the jobs as those that ran would.</summary>
    private static async Task LeaveAsync(ServiceUnderTest service, bool isDone, params string[] ids)
    {
        foreach (string id in ids)
        {
            Assert.Equal(202, (await service.PostAsync($"{Backups}/{id}/action", """{"os-force_delete": null}""")).Status);
            await using CatalogContext catalog = service.Catalog.Open();
            string? job = await catalog.Backups.Where(row => row.Id == id).Select(row => row.JobId).SingleAsync(ServiceUnderTest.Cancel);
            if (isDone && await Claims.TryStartAsync(catalog, id, job!, ServiceUnderTest.Cancel))
            {
                JobOutcome outcome = new("deleted") { SetBackup = set => set.SetProperty(row => row.DeletedAt, DateTime.UtcNow) };
                Assert.True(await Claims.FinishAsync(catalog, id, job!, outcome, DateTime.UtcNow, ServiceUnderTest.Cancel));
            }
        }
    }

    private static async Task<List<string>> PageThroughAsync(ServiceUnderTest service, string? path)
    {
        List<string> ids = [];
        while (path is not null)
        {
            Answer answer = await service.GetAsync(path, "3.45");
            Assert.True(answer.Status == 200, answer.Text);
            ids.AddRange(Ids(answer));
            path = (string?)answer.Json["backups_links"]?[0]?["href"];
            Assert.True(ids.Count <= 1000, "The pages do not end.");
        }

        return ids;
    }

    private static string[] Ids(Answer answer) => [.. answer.Json["backups"]!.AsArray().Select(backup => (string)backup!["id"]!)];
}
