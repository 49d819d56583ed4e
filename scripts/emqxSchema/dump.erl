%% Writes down which settings an EMQX version knows, as JSON on standard output: names, aliases, types, whether a field
%% is required, deprecated, has a default, or is converted before it is checked. Hidden fields count, too: EMQX takes
%% them.
%%
%% Needs the compiled modules of that version (apps/*/ebin of a built source tree or lib/*/ebin of a release) and its
%% hocon and typerefl on the code path, and the applications loaded:
%%
%%     erlc dump.erl
%%     EMQX_SCHEMA_FULL_DUMP=1 ERL_LIBS=/usr/lib/emqx/lib erl -noshell -pa . -s dump main emqx_conf_schema > 5.8.9.json
%%
%% The schema is emqx_conf_schema (open source 5.8, and 6.3), emqx_enterprise_schema (Enterprise up to 6.2).
-module(dump).
-export([main/1]).

main([Schema]) ->
    Libs = string:lexemes(os:getenv("ERL_LIBS"), ":"),
    Apps = lists:flatmap(fun(Lib) -> filelib:wildcard(Lib ++ "/emqx*/ebin/*.app") end, Libs),
    [application:load(list_to_atom(filename:basename(App, ".app"))) || App <- Apps],
    {RootNs, Roots, Structs} = hocon_schema:find_structs(Schema, #{include_importance_up_from => hidden}),
    Named = [{hocon_schema:fmt_ref(Ns, Name), Ns, maps:get(fields, Meta)} || {Ns, Name, Meta} <- Structs],
    All = [{<<"Root Config Keys">>, RootNs, Roots} | Named],
    Json = [
        #{full_name => text(Name), fields => [field(Ns, Field) || Field <- Fields]}
     || {Name, Ns, Fields} <- All
    ],
    io:put_chars(json(Json)),
    halt().

field(Ns, {Name, Schema}) ->
    Get = fun(Key) -> hocon_schema:field_schema(Schema, Key) end,
    Field = #{
        name => text(Name),
        type => type(Ns, Get(type)),
        aliases => [text(Alias) || Alias <- hocon_schema:aliases(Schema)],
        required => Get(required) =:= true,
        deprecated => hocon_schema:is_deprecated(Schema),
        converter => Get(converter) =/= undefined
    },
    case Get(default) of
        undefined -> Field;
        _ -> Field#{default => true}
    end.

%% A few internal fields have types that hocon has no words for.
type(Ns, Type) ->
    try
        hocon_schema:fmt_type(Ns, Type)
    catch
        _:_ -> #{kind => any}
    end.

text(Atom) when is_atom(Atom) -> atom_to_binary(Atom);
text(Text) when is_binary(Text); is_list(Text) -> unicode:characters_to_binary(Text);
text(Term) -> iolist_to_binary(io_lib:format("~0p", [Term])).

json(Map) when is_map(Map) ->
    ["{", lists:join(",", [[json(text(Key)), ":", json(Value)] || {Key, Value} <- maps:to_list(Map)]), "}"];
json(List) when is_list(List) -> ["[", lists:join(",\n", [json(Item) || Item <- List]), "]"];
json(Bool) when is_boolean(Bool) -> atom_to_list(Bool);
json(Number) when is_integer(Number) -> integer_to_list(Number);
json(Atom) when is_atom(Atom) -> json(atom_to_binary(Atom));
json(Text) -> ["\"", re:replace(Text, "[\"\\\\]", "\\\\&", [global]), "\""].
