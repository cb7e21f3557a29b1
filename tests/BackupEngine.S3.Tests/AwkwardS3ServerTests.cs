using System.Net;
using System.Net.Http.Headers;
using BackupEngine.TestKit.S3;
using Xunit;

namespace BackupEngine.S3.Tests;

/// <summary>The awkward S3 server itself, by plain HTTP: without a switch it does what S3 does, and each switch does what it says.</summary>
public sealed class AwkwardS3ServerTests : IDisposable
{
    private readonly HttpClient _http = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Server_Default_DoesWhatS3Does()
    {
        await using AwkwardS3Server server = await StartAsync(new AwkwardS3Behavior());
        Assert.Equal(HttpStatusCode.OK, await PutAsync(server, "a/1", "one", ifNoneMatch: "*"));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await PutAsync(server, "a/1", "two", ifNoneMatch: "*"));
        string tag = await TagAsync(server, "a/1");
        Assert.Matches("^\"[0-9a-f]{32}\"$", tag);
        Assert.Equal(HttpStatusCode.PreconditionFailed, await PutAsync(server, "a/1", "two", ifMatch: "\"00\""));
        Assert.Equal(HttpStatusCode.OK, await PutAsync(server, "a/1", "three", ifMatch: tag));
        Assert.Equal(HttpStatusCode.OK, await PutAsync(server, "a/1", "four", ifMatch: (await TagAsync(server, "a/1")).Trim('"')));
        Assert.Equal(HttpStatusCode.NotFound, await PutAsync(server, "a/2", "x", ifMatch: tag));
        Assert.Equal("four", await _http.GetStringAsync(Address(server, "a/1"), Cancellation));

        using HttpRequestMessage range = new(HttpMethod.Get, Address(server, "a/1"));
        range.Headers.Range = new RangeHeaderValue(1, 100);
        using HttpResponseMessage part = await _http.SendAsync(range, Cancellation);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal("our", await part.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("bytes 1-3/4", part.Content.Headers.ContentRange!.ToString());

        Assert.Contains("<Key>a/1</Key>", await ListAsync(server, "a/"), StringComparison.Ordinal);
        Assert.DoesNotContain("<Key>", await ListAsync(server, "b/"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await DeleteManyAsync(server, "a/1", "a/3"));
        Assert.Empty(server.Keys("bucket"));
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync(Address(server, "a/1"), Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync(new Uri(server.Endpoint, "/other/a"), Cancellation)).StatusCode);
        Assert.Equal(11, server.Requests.Count(request => request.Method is "PUT" or "POST") + 3);
    }

    [Fact]
    public async Task Put_OtherDigestThanTheBody_IsRefused()
    {
        await using AwkwardS3Server server = await StartAsync(new AwkwardS3Behavior());
        using HttpRequestMessage put = new(HttpMethod.Put, Address(server, "k")) { Content = new StringContent("x") };
        put.Headers.Add("x-amz-content-sha256", new string('0', 64));
        using HttpResponseMessage answer = await _http.SendAsync(put, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(server.Keys("bucket"));
    }

    public static TheoryData<string, HttpStatusCode, HttpStatusCode, HttpStatusCode, HttpStatusCode, HttpStatusCode> Conditions => new()
    {
        // Put if absent over an object, if match wrong, if match right quoted, right unquoted, if match without an object.
        { "default", HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound },
        { "ignores If-None-Match", HttpStatusCode.OK, HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound },
        { "ignores If-Match", HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK },
        { "rejects If-None-Match", HttpStatusCode.NotImplemented, HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound },
        { "rejects If-Match", HttpStatusCode.PreconditionFailed, HttpStatusCode.NotImplemented, HttpStatusCode.NotImplemented, HttpStatusCode.NotImplemented, HttpStatusCode.NotImplemented },
        { "quoted only", HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.PreconditionFailed, HttpStatusCode.NotFound },
        { "unquoted only", HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.NotFound },
        { "drops quoted", HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK },
        { "If-Match creates", HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK },
        { "refuses every If-Match", HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed },
    };

    [Theory]
    [MemberData(nameof(Conditions))]
    public async Task Put_ConditionSwitch_AnswersAsItSays(
        string name, HttpStatusCode absent, HttpStatusCode wrong, HttpStatusCode rightQuoted, HttpStatusCode rightUnquoted, HttpStatusCode missing)
    {
        await using AwkwardS3Server server = await StartAsync(AwkwardBehaviors.All[name]);
        Assert.Equal(HttpStatusCode.OK, await PutAsync(server, "k", "same"));
        Assert.Equal(absent, await PutAsync(server, "k", "same", ifNoneMatch: "*"));
        Assert.Equal(wrong, await PutAsync(server, "k", "same", ifMatch: "\"00000000000000000000000000000000\""));
        string tag = await TagAsync(server, "k");
        Assert.Equal(rightQuoted, await PutAsync(server, "k", "same", ifMatch: tag));
        Assert.Equal(rightUnquoted, await PutAsync(server, "k", "same", ifMatch: tag.Trim('"')));
        Assert.Equal(missing, await PutAsync(server, "other", "same", ifMatch: tag));
        Assert.Equal(missing == HttpStatusCode.OK, server.Find("bucket", "other") is not null);
    }

    [Fact]
    public async Task Put_TagsDifferByPut_SameContentGetsAnotherTag()
    {
        await using AwkwardS3Server server = await StartAsync(new AwkwardS3Behavior { TagsDifferByPut = true });
        await PutAsync(server, "k", "same");
        string first = await TagAsync(server, "k");
        await PutAsync(server, "k", "same");
        Assert.NotEqual(first, await TagAsync(server, "k"));
    }

    [Fact]
    public async Task Put_ConditionsAreNotAtomic_SeveralSucceed()
    {
        await using AwkwardS3Server server = await StartAsync(new AwkwardS3Behavior { ConditionsAreNotAtomic = true });
        HttpStatusCode[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => PutAsync(server, "k", $"{i}", ifNoneMatch: "*")));
        Assert.True(answers.Count(answer => answer == HttpStatusCode.OK) > 1);
    }

    [Fact]
    public async Task DeleteMany_Rejected_RemovesNothing()
    {
        await using AwkwardS3Server server = await StartAsync(new AwkwardS3Behavior { RejectsBatchDelete = true });
        await PutAsync(server, "k", "x");
        Assert.Equal(HttpStatusCode.NotImplemented, await DeleteManyAsync(server, "k"));
        Assert.Equal(["k"], server.Keys("bucket"));
        Assert.Equal(HttpStatusCode.NoContent, (await _http.DeleteAsync(Address(server, "k"), Cancellation)).StatusCode);
        Assert.Empty(server.Keys("bucket"));
    }

    [Fact]
    public async Task Put_LosesAnswer_StoresAndCutsTheConnection()
    {
        await using AwkwardS3Server server = await StartAsync(new AwkwardS3Behavior { LosesAnswer = request => request is { Method: "PUT", Path: "bucket/k" } });
        await Assert.ThrowsAsync<HttpRequestException>(() => PutAsync(server, "k", "x"));
        Assert.Equal("x"u8.ToArray(), server.Find("bucket", "k"));
    }

    [Fact]
    public async Task List_PageSwitches_AnswerAsTheySay()
    {
        await using AwkwardS3Server server = await StartAsync(new AwkwardS3Behavior { MaxPageObjects = 2 });
        for (int i = 0; i < 5; i++)
            await PutAsync(server, $"a/{i}", "x");
        await PutAsync(server, "b", "x");
        Assert.Equal(3, await CountPagesAsync(server));
        server.Behavior = new AwkwardS3Behavior { MaxPageObjects = 2, ListsEmptyPagesBetween = true };
        Assert.Equal(6, await CountPagesAsync(server));
        server.Behavior = new AwkwardS3Behavior { ListsOtherKeys = true };
        Assert.Contains("<Key>b</Key>", await ListAsync(server, "a/"), StringComparison.Ordinal);
        server.Behavior = new AwkwardS3Behavior { RepeatsContinuationToken = true };
        Assert.Equal(20, await CountPagesAsync(server));
        server.Behavior = new AwkwardS3Behavior { ListsEmptyPagesForever = true };
        Assert.Equal(20, await CountPagesAsync(server));
    }

    [Fact]
    public async Task Any_Delay_AnswersLater()
    {
        await using AwkwardS3Server server = await StartAsync(new AwkwardS3Behavior());
        server.Behavior = new AwkwardS3Behavior { Delay = TimeSpan.FromMilliseconds(300) };
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        await PutAsync(server, "k", "x");
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(290));
    }

    private static async Task<AwkwardS3Server> StartAsync(AwkwardS3Behavior behavior)
    {
        AwkwardS3Server server = await AwkwardS3Server.StartAsync(behavior);
        using HttpClient http = new();
        using HttpResponseMessage made = await http.PutAsync(new Uri(server.Endpoint, "/bucket"), null, Cancellation);
        Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        return server;
    }

    private static Uri Address(AwkwardS3Server server, string key) => new(server.Endpoint, $"/bucket/{key}");

    private async Task<HttpStatusCode> PutAsync(AwkwardS3Server server, string key, string content, string? ifMatch = null, string? ifNoneMatch = null)
    {
        using HttpRequestMessage put = new(HttpMethod.Put, Address(server, key)) { Content = new StringContent(content) };
        if (ifMatch is not null)
            put.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        if (ifNoneMatch is not null)
            put.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        using HttpResponseMessage answer = await _http.SendAsync(put, Cancellation);
        return answer.StatusCode;
    }

    private async Task<string> TagAsync(AwkwardS3Server server, string key)
    {
        using HttpRequestMessage head = new(HttpMethod.Head, Address(server, key));
        using HttpResponseMessage answer = await _http.SendAsync(head, Cancellation);
        return answer.Headers.ETag!.ToString();
    }

    private Task<string> ListAsync(AwkwardS3Server server, string prefix, string? token = null) => _http.GetStringAsync(
        new Uri(server.Endpoint, $"/bucket?list-type=2&prefix={Uri.EscapeDataString(prefix)}{(token is null ? "" : $"&continuation-token={Uri.EscapeDataString(token)}")}"), Cancellation);

    private async Task<int> CountPagesAsync(AwkwardS3Server server)
    {
        string? token = null;
        for (int pages = 1; pages < 20; pages++)
        {
            string page = await ListAsync(server, "a/", token);
            int start = page.IndexOf("<NextContinuationToken>", StringComparison.Ordinal);
            if (start < 0)
                return pages;
            start += "<NextContinuationToken>".Length;
            token = page[start..page.IndexOf('<', start)];
        }

        return 20;
    }

    private async Task<HttpStatusCode> DeleteManyAsync(AwkwardS3Server server, params string[] keys)
    {
        using StringContent body = new($"<Delete>{string.Concat(keys.Select(key => $"<Object><Key>{key}</Key></Object>"))}</Delete>");
        using HttpResponseMessage answer = await _http.PostAsync(new Uri(server.Endpoint, "/bucket?delete"), body, Cancellation);
        return answer.StatusCode;
    }
}
