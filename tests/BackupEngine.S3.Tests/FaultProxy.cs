using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace BackupEngine.S3.Tests;

/// <summary>Stands between a store and its server on loopback and does wrong, request by request, what it is told to. One request per connection.</summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private const int ReceiveBufferBytes = 64 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly Func<string, int, Fault> _choose;
    private readonly Uri _server;
    private readonly Task _accepting;

    /// <param name="server">Where requests go.</param>
    /// <param name="choose">From the method and the number (from 0) of requests of that method so far: what to do.</param>
    public FaultProxy(Uri server, Func<string, int, Fault> choose)
    {
        _server = server;
        _choose = choose;
        _listener.Server.ReceiveBufferSize = ReceiveBufferBytes; // what waits here has moved for the sender
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public int Count(string method) => _requests.Count(seen => seen == method);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                (string head, byte[] rest) = await ReadHeadAsync(stream);
                if (head.Length == 0)
                    return;
                string method = head[..head.IndexOf(' ', StringComparison.Ordinal)];
                Fault fault = Choose(method);
                await HandleAsync(client, stream, head, rest, fault);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // The other side went away, as it does in these tests.
            }
        }
    }

    private Fault Choose(string method)
    {
        lock (_requests)
        {
            int number = Count(method);
            _requests.Enqueue(method);
            return _choose(method, number);
        }
    }

    private async Task HandleAsync(TcpClient client, NetworkStream stream, string head, byte[] rest, Fault fault)
    {
        if (fault is Fault.StallFault)
        {
            await Task.Delay(Timeout.Infinite, _stopping.Token);
            return;
        }

        if (head.Contains("\r\nExpect:", StringComparison.OrdinalIgnoreCase))
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), _stopping.Token);
        int length = BodyLength(head);
        byte[] body = new byte[fault is Fault.ResetInRequestFault early ? Math.Min(length, early.AfterBytes) : length];
        rest.AsSpan(0, Math.Min(rest.Length, body.Length)).CopyTo(body);
        if (rest.Length < body.Length)
            await ReadAsync(stream, body.AsMemory(rest.Length), fault);

        switch (fault)
        {
            case Fault.ResetInRequestFault:
                Reset(client);
                return;
            case Fault.AnswerFault answer:
                await stream.WriteAsync(AnswerBytes(answer), _stopping.Token);
                return;
            case Fault.SayFault said:
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {said.Body.Length}\r\nConnection: close\r\n\r\n{said.Body}"), _stopping.Token);
                return;
            case Fault.FlipInRequestFault flip:
                body[flip.At] ^= 1;
                break;
            default:
                break;
        }

        byte[] response = await ForwardAsync(head, body);
        int bodyStart = response.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        if (fault is Fault.CutAnswerFault cut)
        {
            if (cut.AfterBytes >= 0)
                await stream.WriteAsync(response.AsMemory(0, Math.Min(response.Length, bodyStart + cut.AfterBytes)), _stopping.Token);
            if (cut.Reset)
                Reset(client);
            return;
        }

        await stream.WriteAsync(response, _stopping.Token);
    }

    private async Task ReadAsync(NetworkStream stream, Memory<byte> body, Fault fault)
    {
        const int SlowStep = 16 * 1024;
        if (fault is not Fault.SlowFault slow)
        {
            await stream.ReadExactlyAsync(body, _stopping.Token);
            return;
        }

        for (int total = 0; total < body.Length; total += SlowStep)
        {
            await stream.ReadExactlyAsync(body.Slice(total, Math.Min(SlowStep, body.Length - total)), _stopping.Token);
            await Task.Delay(TimeSpan.FromSeconds((double)SlowStep / slow.BytesPerSecond), _stopping.Token);
        }
    }

    private async Task<byte[]> ForwardAsync(string head, byte[] body)
    {
        using TcpClient server = new();
        await server.ConnectAsync(_server.Host, _server.Port, _stopping.Token);
        NetworkStream stream = server.GetStream();
        IEnumerable<string> lines = head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith("Expect:", StringComparison.OrdinalIgnoreCase) && !line.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", [.. lines, "Connection: close"]) + "\r\n\r\n"), _stopping.Token);
        await stream.WriteAsync(body, _stopping.Token);
        using MemoryStream answer = new();
        await stream.CopyToAsync(answer, _stopping.Token);
        return answer.ToArray();
    }

    private async Task<(string Head, byte[] After)> ReadHeadAsync(NetworkStream stream)
    {
        byte[] buffer = new byte[64 * 1024];
        for (int total = 0; total < buffer.Length;)
        {
            int count = await stream.ReadAsync(buffer.AsMemory(total), _stopping.Token);
            if (count == 0)
                break;
            total += count;
            int end = buffer.AsSpan(0, total).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
                return (Encoding.ASCII.GetString(buffer, 0, end), buffer[(end + 4)..total]);
        }

        return ("", []);
    }

    private static int BodyLength(string head)
    {
        const string Name = "content-length:";
        string? line = head.Split("\r\n").FirstOrDefault(line => line.StartsWith(Name, StringComparison.OrdinalIgnoreCase));
        return line is null ? 0 : int.Parse(line.AsSpan(Name.Length), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
    }

    private static byte[] AnswerBytes(Fault.AnswerFault answer)
    {
        string xml = $"<?xml version=\"1.0\"?><Error><Code>{answer.Code}</Code><Message>said by the proxy</Message></Error>";
        return Encoding.ASCII.GetBytes($"HTTP/1.1 {answer.Status} Fault\r\nContent-Type: application/xml\r\nContent-Length: {xml.Length}\r\nConnection: close\r\n\r\n{xml}");
    }

    private static void Reset(TcpClient client)
    {
        client.LingerState = new LingerOption(enable: true, seconds: 0);
        client.Close();
    }
}
